import RolecallProtocol

/// What the page of somebody who is signed in offers.
enum AccountChoice: Hashable, Sendable, CaseIterable {
    case logOut
    case signOut
    case signOutEverywhere
    case renew
    case another

    var title: String {
        switch self {
        case .logOut: "Log out here"
        case .signOut: "Sign out"
        case .signOutEverywhere: "Sign out everywhere"
        case .renew: "Renew the login"
        case .another: "Log in as somebody else"
        }
    }

    var explanation: String {
        switch self {
        case .logOut: "this socket belongs to nobody; the saved login stays"
        case .signOut: "the session ends, and the saved login is deleted"
        case .signOutEverywhere: "all your sessions end, on every machine"
        case .renew: "the same session lasts longer"
        case .another: "on this very socket"
        }
    }
}

/// What can be selected on that page.
enum AccountItem: Hashable, Sendable {
    case choice(AccountChoice)
    /// One of the user's sessions, by its id.
    case session(String)
}

extension ScreenState {
    mutating func toggleAccount() -> [Effect] {
        switch page {
        case .login, .account:
            page = nil
            return []
        case .help, .people, .explanation, .filters, .palette, nil:
            openAccount()
            return listForPage()
        }
    }

    /// The account's page: of somebody who is signed in, who that is; else the login form. Who has lost a login is
    /// asked for no more than the password.
    mutating func openAccount() {
        guard user == nil else {
            page = .account(.choice(.logOut))
            return
        }
        page = .login(LoginForm(server: server.description, email: lastEmail ?? ""))
    }

    /// From the top to the bottom of the page.
    var accountItems: [AccountItem] {
        AccountChoice.allCases.map(AccountItem.choice) + (sessions.items ?? []).map { .session($0.id) }
    }

    mutating func reduceAccount(_ request: Request) -> [Effect] {
        guard case .account(let selected) = page else { return [] }
        let items = accountItems
        let at = items.firstIndex(of: selected) ?? 0
        switch request {
        case .down: page = .account(items[(at + 1) % items.count])
        case .up: page = .account(items[(at + items.count - 1) % items.count])
        case .reload: return reload(.sessions)
        case .choose:
            switch items[at] {
            case .choice(let choice): return choose(choice)
            case .session(let id): askToEnd(id)
            }
        default: break
        }
        return []
    }

    private mutating func choose(_ choice: AccountChoice) -> [Effect] {
        switch choice {
        case .logOut: return leave(.logOut)
        case .signOut: askToSignOut()
        case .signOutEverywhere:
            let count = sessions.items.map { " (\(Words.count($0.count, "session")))" } ?? ""
            confirm("Sign out everywhere\(count)?", .signOutEverywhere)
        case .renew: return renew()
        case .another: page = .login(LoginForm(server: server.description))
        }
        return []
    }

    mutating func askToSignOut() {
        confirm("Sign out? The session ends, and the saved login is deleted.", .signOut)
    }

    private mutating func askToEnd(_ id: String) {
        guard let session = sessions.items?.first(where: { $0.id == id }) else { return }
        guard !session.isCurrent else { return confirm("End this session, and sign out here?", .signOut) }
        let place = session.address.map { " from \($0)" } ?? ""
        confirm("End the session\(place) (\(session.agent ?? "unknown program"))?", .endSession(id))
    }

    // MARK: What pages list

    /// Asks for what the open page shows, where this user may be told.
    mutating func listForPage() -> [Effect] {
        switch page {
        case .account: list(.sessions)
        case .people: list(.sockets)
        case .login, .explanation, .filters, .help, .palette, nil: []
        }
    }

    mutating func list(_ thing: ListedThing) -> [Effect] {
        guard user != nil else { return [] }
        let asks =
            switch thing {
            case .sessions: sessions.load()
            case .sockets: people.load()
            }
        return asks ? [.list(thing, generation: generation)] : []
    }

    mutating func listIfDue() -> [Effect] {
        guard user != nil else { return [] }
        let thing: ListedThing
        switch page {
        case .account where sessions.loadIfDue(at: now.uptime): thing = .sessions
        case .people where people.loadIfDue(at: now.uptime): thing = .sockets
        default: return []
        }
        return [.list(thing, generation: generation)]
    }

    /// The user asks for news; where there is no connection, for that first.
    mutating func reload(_ thing: ListedThing) -> [Effect] {
        connection.isOnline ? list(thing) : [.reconnect]
    }

    mutating func reduceListed(_ outcome: Outcome) {
        switch outcome {
        case .sessions(let items, generation):
            sessions.loaded(items, at: now.uptime)
        case .sockets(let items, generation):
            people.loaded(items, at: now.uptime)
        case .notListed(.sessions, let reason, let isDenied, generation):
            sessions.failed(reason, isDenied: isDenied, at: now.uptime)
        case .notListed(.sockets, let reason, let isDenied, generation):
            people.failed(reason, isDenied: isDenied, at: now.uptime)
        default: break
        }
    }
}
