import RolecallProtocol
import Terminal

/// The page of somebody who is signed in: who, for how long, what can be done, and where else this user is.
extension AccountView {
    /// - Returns: where the cursor stands.
    static func draw(
        selected: AccountItem, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        let room = max(1, pane.columns - margin(pane))
        let labelWidth = room >= 44 ? 12 : 9
        let items = state.accountItems
        let selected = items.contains(selected) ? selected : items[0]
        var rows: [Row] = [.spare]
        for (label, value, isSpare) in facts(state) {
            var line = StyledText(state.padded(label, to: labelWidth), Theme.faint)
            line.append(SafeText(value).text)
            rows.append(Row(text: line, isSpare: isSpare))
        }
        rows.append(.spare)
        let width = AccountChoice.allCases.map(\.title.count).max() ?? 0
        for choice in AccountChoice.allCases {
            let isSelected = selected == .choice(choice)
            let title = " \(state.padded(choice.title, to: width)) "
            var line = StyledText(title, isSelected ? Theme.mode : .plain)
            // A word or two of a sentence would explain nothing.
            if room > width + 18 { line.append("  \(choice.explanation)", Theme.faint) }
            rows.append(Row(text: line, cursor: isSelected ? 0 : nil))
        }
        rows.append(.spare)
        rows += sessions(selected, state)
        return draw(rows, state, in: pane, of: &buffer)
    }

    private static func facts(_ state: ScreenState) -> [(label: String, value: String, isSpare: Bool)] {
        let identity = state.identity
        let user = identity?.user
        var expires = "-"
        if let expiry = state.expiry ?? identity?.expiresAt, let left = state.timeToExpiry {
            expires = "\(Words.clock(expiry)) (in \(Words.left(left)))"
            if state.renewal != .idle {
                expires += ", being renewed"
            } else if state.staysSignedIn {
                expires += ", then renewed"
            }
        }
        let memberships = identity?.memberships.map { [("Member of", $0.words, false)] } ?? []
        return [
            ("Who", user.map { "\($0.name) <\($0.email)>" } ?? "nobody (unassociated)", false),
            ("Role", user?.role ?? "-", false),
        ] + memberships + [
            ("Expires", expires, false),
            ("Socket", identity.map { "\($0.socketID) from \($0.address)" } ?? "-", true),
            ("Associated", identity.map { "by \($0.reason)" } ?? "-", true),
            ("Server", "\(state.server)", true),
            ("Profile", state.profile, true),
        ]
    }

    private static func sessions(_ selected: AccountItem, _ state: ScreenState) -> [Row] {
        let listing = state.sessions
        var heading = StyledText("Sessions", Theme.heading)
        if let items = listing.items { heading.append("  \(items.count)", Theme.faint) }
        if let fault = listing.fault {
            heading.append("  \(fault)", Theme.alarm)
        } else if listing.items == nil {
            heading.append("  asking\(state.signs.ellipsis)", Theme.faint)
        } else {
            heading.append("  Enter ends the selected one", Theme.faint)
        }
        var rows = [Row(text: heading)]
        for session in listing.items ?? [] {
            let isSelected = selected == .session(session.id)
            var line = StyledText(" \(title(session, state)) ", isSelected ? Theme.mode : .plain)
            line.append("  \(times(session, state.now.wall))", Theme.faint)
            rows.append(Row(text: line, cursor: isSelected ? 0 : nil))
            for socket in session.sockets { rows.append(Row(text: self.line(socket, state))) }
        }
        return rows
    }

    private static func title(_ session: UserSession, _ state: ScreenState) -> String {
        var parts = [session.isCurrent ? "this one" : "another"]
        parts.append(state.fitted(session.agent ?? "unknown program", to: 40))
        if let address = session.address { parts.append(address) }
        return parts.joined(separator: "  ")
    }

    private static func times(_ session: UserSession, _ now: Timestamp) -> String {
        var parts: [String] = []
        if let used = session.lastUsedAt ?? session.createdAt { parts.append("used \(Words.ago(used, now: now))") }
        if let expiry = session.expiresAt {
            let left = expiry.milliseconds.subtractingReportingOverflow(now.milliseconds)
            if !left.overflow { parts.append("ends in \(Words.left(.milliseconds(left.partialValue)))") }
        }
        return parts.joined(separator: "  ")
    }

    private static func line(_ socket: UserSession.Socket, _ state: ScreenState) -> StyledText {
        var parts = [
            "socket \(state.fitted(socket.id, to: 24, keeping: .ends))", socket.transport, socket.address,
        ]
        if let since = socket.connectedAt { parts.append(Words.ago(since, now: state.now.wall)) }
        if case .online(let own) = state.connection.phase, own == socket.id { parts[0] += " (this one)" }
        return StyledText("   \(parts.filter { !$0.isEmpty }.joined(separator: "  "))", Theme.faint)
    }
}
