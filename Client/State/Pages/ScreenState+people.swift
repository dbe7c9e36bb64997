import RolecallProtocol
import Terminal

/// The page of those who are on.
extension ScreenState {
    mutating func togglePeople() -> [Effect] {
        if page == .people {
            page = nil
            return []
        }
        return openPeople()
    }

    mutating func openPeople() -> [Effect] {
        page = .people
        people.top = 0
        return listForPage()
    }

    mutating func reducePeople(_ request: Request) -> [Effect] {
        let rows = people.rows
        let height = max(1, PeopleView.listHeight(self))
        let at = people.selectedIndex(in: rows) ?? 0
        switch request {
        case .down: selectPerson(at + 1, rows, height)
        case .up: selectPerson(at - 1, rows, height)
        case .pageDown: selectPerson(at + height, rows, height)
        case .pageUp: selectPerson(at - height, rows, height)
        case .first: selectPerson(0, rows, height)
        case .last: selectPerson(rows.count - 1, rows, height)
        case .reload: return reload(.sockets)
        case .kick: askToKick(rows, closes: false)
        case .kickAndClose: askToKick(rows, closes: true)
        default: break
        }
        return []
    }

    /// The wheel moves the selection, a click selects.
    mutating func reducePeople(_ mouse: Mouse) {
        let rows = people.rows
        let height = max(1, PeopleView.listHeight(self))
        guard let at = people.selectedIndex(in: rows) else { return }
        // A question that is open is about another row.
        confirmation = nil
        switch mouse.kind {
        case .scrollUp: selectPerson(at - 3, rows, height)
        case .scrollDown: selectPerson(at + 3, rows, height)
        case .press(.left):
            let list = Layout(self).main.splitTop(1).rest
            let top = PeopleView.top(people.top, showing: at, of: rows.count, height: height)
            let index = top + mouse.position.row - list.row
            if list.contains(mouse.position), rows.indices.contains(index) { selectPerson(index, rows, height) }
        default: break
        }
    }

    private mutating func selectPerson(_ index: Int, _ rows: [People.Row], _ height: Int) {
        guard !rows.isEmpty else { return }
        let index = min(max(0, index), rows.count - 1)
        people.selected = rows[index].item
        people.top = PeopleView.top(people.top, showing: index, of: rows.count, height: height)
    }

    private mutating func askToKick(_ rows: [People.Row], closes: Bool) {
        guard people.showsSockets else { return alarm("Only an admin kicks.") }
        guard let index = people.selectedIndex(in: rows) else { return }
        let ids: [String]
        let name: String
        let isNobody: Bool
        switch rows[index] {
        case .socket(let socket):
            ids = [socket.id]
            name = socket.user?.email ?? "nobody"
            isNobody = socket.user == nil
        case .person(let person):
            ids = rows.compactMap { row in
                if case .socket(let socket) = row, socket.user?.id == person.id { socket.id } else { nil }
            }
            name = person.email ?? "nobody"
            isNobody = person.id == nil
        }
        guard closes || !isNobody else {
            let key = keys.key(for: .kickAndClose, in: .people).map { " \($0) disconnects." } ?? ""
            return alarm("That belongs to nobody already.\(key)")
        }
        let verb = closes ? "Kick and disconnect" : "Kick"
        // Whose it is stands first: on a narrow screen there is no room for more.
        let what = ids.count == 1 ? "socket \(ids[0].prefix(40))" : Words.count(ids.count, "socket")
        confirm("\(verb) \(name) (\(what))?", .kick(.sockets(ids, name: name), closes: closes))
    }
}
