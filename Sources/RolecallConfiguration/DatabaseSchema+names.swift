import ModelStore

extension DatabaseSchema {
    /// The table that a file means: the one that is spelt like this, byte for byte, else the one that the database
    /// takes for it. Names can be the same to Swift and two to the database: "é" in one and in two characters.
    func named(_ name: String) -> Table? {
        tables.first { $0.name.utf8.elementsEqual(name.utf8) }
            ?? tables.first { $0.name.asciiLowercased == name.asciiLowercased }
    }
}

extension DatabaseSchema.Table {
    /// The column that a file means; see ``DatabaseSchema/named(_:)``.
    func named(_ name: String) -> DatabaseSchema.Column? {
        columns.first { $0.name.utf8.elementsEqual(name.utf8) }
            ?? columns.first { $0.name.asciiLowercased == name.asciiLowercased }
    }
}
