import RolecallProtocol
import TestSupport
import WireJSON

/// Accounts that become somebody else's eyes.
extension LineRun {
    /// An account gets another role, address or name, by whoever may or may not, or by the shell.
    func changeAccount() async throws {
        // The first administrates to the end.
        let target = 1 + world.random.below(world.accounts.count - 1)
        try await reload(target)
        let former = world.accounts[target]
        var account = former
        switch world.random.below(4) {
        case 0: account.email = world.email()
        case 1: account.name = "Name \(world.number())"
        default: account.rank = world.random.below(world.roles.count)
        }
        guard account.email != former.email || account.name != former.name || account.rank != former.rank else {
            return
        }
        let role = world.roles[account.rank]
        if world.isOne(in: 3) {
            let script = """
                UPDATE rolecall_user SET email = '\(account.email)', name = '\(account.name)', role = '\(role)' \
                WHERE _id = \(account.id);
                """
            note(script)
            try await shell.run(script)
            become(account, target)
            return try await look()
        }
        let caller = world.one(of: [nil, 0, target, world.random.below(world.accounts.count)])
        let (method, path, body): (String, String, JSON) =
            if account.rank != former.rank {
                ("PUT", "/role", ["role": .string(role)])
            } else {
                (
                    "PATCH", "",
                    account.email != former.email ? ["email": .string(account.email)] : ["name": .string(account.name)]
                )
            }
        let isAdministrator = eyes(caller).rank == world.roles.count - 1
        let isAllowed = isAdministrator || (method == "PATCH" && caller == target)
        // What he is told is for who he is then.
        if isAllowed { become(account, target) }
        let answer = try await send(method, "/api/users/\(account.id)\(path)", as: caller, body)
        try expect(caller == nil ? 401 : isAllowed ? 200 : 403, answer)
        guard isAllowed else { return }
        let told: LineRow?
        if caller == target {
            told = UserSummary(id: account.id, email: account.email, name: account.name, role: role).json.lineRow
        } else {
            let place = world.tables.count - 2
            told = eyes(caller).part(of: rows[place]["\(account.id)"], world.tables[place]) ?? ["_id": "\(account.id)"]
        }
        guard answer.json.lineRow == told else { throw fault("He is told \(told ?? [:]).") }
    }

    private func become(_ account: LineWorld.Account, _ place: Int) {
        world.change(account: place) { $0 = account }
        identityChanged(place)
    }
}

extension LineRun {
    /// Everybody, by the shell: their numbers are none that a server would give.
    func makeAccounts() async throws {
        let values = world.accounts.map { account in
            "(\(account.id), '\(account.email)', '\(account.name)', '\(world.roles[account.rank])', '')"
        }
        try await shell.run(
            "INSERT INTO rolecall_user(_id, email, name, role, password) VALUES \(values.joined(separator: ", "));")
        try await look()
    }

    /// Something happens.
    func step() async throws {
        try await reload()
        switch world.random.below(20) {
        case 0...1: try await changeAccount()
        case 2...9: try await change()
        default: try await ask()
        }
    }
}
