import ModelStore
import Testing

/// What a schema answers about names and values.
@Suite struct DatabaseSchemaTests {
    @Test(
        "names are the same by their bytes, and in some databases without regard to the case of A to Z",
        arguments: [
            ("orders", "orders", true, true), ("orders", "ORDERS", true, false), ("a_Z", "A_z", true, false),
            ("orders", "order", false, false), ("é", "É", false, false), ("\u{e9}", "e\u{301}", false, false),
            ("[", "{", false, false), ("@", "`", false, false), ("", "", true, true),
        ])
    func names(one: String, other: String, ignoringCase: Bool, exact: Bool) {
        #expect(DatabaseSchema.NameComparison.ignoringASCIICase.areSame(one, other) == ignoringCase)
        #expect(DatabaseSchema.NameComparison.exact.areSame(one, other) == exact)
    }

    private func schema(_ comparison: DatabaseSchema.NameComparison, _ names: [String]) -> DatabaseSchema {
        let columns = names.map { DatabaseSchema.Column(name: $0, kind: .text, declaredType: "", isNullable: true) }
        return DatabaseSchema(
            name: "a", nameComparison: comparison,
            tables: names.map { DatabaseSchema.Table(name: $0, columns: columns, primaryKey: []) })
    }

    @Test("a table and a column are found as the database finds them, first of all as they are spelt")
    func finding() {
        let folding = schema(.ignoringASCIICase, ["Orders", "e\u{301}", "\u{e9}"])
        #expect(folding.table("orders")?.name == "Orders")
        #expect(folding.table("\u{e9}")?.name.unicodeScalars.count == 1)
        #expect(folding.table("order") == nil)
        #expect(folding.tables[0].column("ORDERS", comparing: .ignoringASCIICase)?.name == "Orders")
        #expect(folding.tables[0].column("ORDERS", comparing: .exact) == nil)
        let exact = schema(.exact, ["Orders", "orders"])
        #expect(exact.table("orders")?.name == "orders")
        #expect(exact.table("ORDERS") == nil)
    }

    private static let values: [Value] = [
        .integer(1), .integer(7), .real(3), .real(3.5), .text("7"), .text("open"), .boolean(true), .blob([1]),
    ]

    /// A letter for each of the values above: `x` for one that the column can hold.
    @Test(
        "a column holds what its kind is or turns it into, and what the database keeps beside that",
        arguments: [
            (.integer, "xxx.", "..x.", "xxxx", ".xxx"), (.real, "xxxx", "..x.", "xxxx", ".xxx"),
            (.text, "....", "xx..", "....", "xx.x"), (.boolean, "x...", "..x.", "x...", "..x."),
            (.blob, "....", "...x", "xxxx", "xxxx"), (.any, "xxxx", "xxxx", "xxxx", "xxxx"),
        ] as [(Column.Kind, String, String, String, String)])
    func holding(kind: Column.Kind, numbers: String, others: String, looseNumbers: String, looseOthers: String) {
        for (takesOtherKinds, expected) in [(false, numbers + others), (true, looseNumbers + looseOthers)] {
            let column = DatabaseSchema.Column(
                name: "a", kind: kind, takesOtherKinds: takesOtherKinds, declaredType: "", isNullable: false)
            #expect(Self.values.map { column.canHold($0) ? "x" : "." }.joined() == expected)
            #expect(!column.canHold(.null))
        }
    }

    @Test("only a column that may be NULL holds NULL")
    func null() {
        for kind in [Column.Kind.integer, .any, .boolean] {
            #expect(
                DatabaseSchema.Column(name: "a", kind: kind, declaredType: "", isNullable: true).canHold(.null))
        }
    }
}
