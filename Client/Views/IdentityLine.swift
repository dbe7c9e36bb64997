import RolecallProtocol
import Terminal

/// The line that is always in sight: where the connection stands, and who this is.
///
/// What does not fit is dropped in this order: address, socket id, words of the connection's state, why nobody is
/// logged in; the state itself, the identity and the time that a login has left never.
enum IdentityLine {
    static func text(_ state: ScreenState, width: Int) -> StyledText {
        let extras = socket(state)
        for (statusLength, kept) in [(0, extras.count), (0, 1), (0, 0), (1, 0), (2, 0)] {
            let line = line(state, statusLength, extras.prefix(kept), identityWidth: nil)
            if line.width <= width { return line }
        }
        // The shortest state, and as much of the name as there is room for.
        let taken = line(state, 2, [], identityWidth: 0).width
        return line(state, 2, [], identityWidth: max(1, width - taken)).truncated(
            to: width, ellipsis: state.signs.ellipsis)
    }

    private static func line(
        _ state: ScreenState, _ statusLength: Int, _ extras: ArraySlice<String>, identityWidth: Int?
    ) -> StyledText {
        var line = StyledText(" ")
        let (status, style) = status(state, statusLength)
        line.append(status, style)
        line.append(statusLength < 2 ? "  " : " ")
        if let user = state.identity?.user, state.connection.isOnline || state.connection.lostAt != nil {
            // No screen has room for more, and each frame measures them several times.
            let role = SafeText(String(user.role.prefix(200))).text
            let email = SafeText(String(user.email.prefix(200))).text
            if let identityWidth {
                let room = max(1, identityWidth - DisplayWidth.of(role) - 3)
                line.append(identityWidth == 0 ? "" : state.fitted(email, to: room), Theme.identity)
            } else {
                line.append(email, Theme.identity)
            }
            line.append(identityWidth == 0 ? "" : " (\(state.fitted(role, to: 20)))", .plain)
            if state.expiry != nil, let left = state.timeToExpiry {
                line.append("\(statusLength < 1 ? " expires in" : "") \(Words.left(left))", Theme.waiting)
            }
        } else if identityWidth != 0 {
            let reason = state.connection.isOnline ? state.identity?.reason.shortWords : nil
            line.append("unassociated\(statusLength < 2 ? reason.map { " (\($0))" } ?? "" : "")", Theme.nobody)
        }
        for extra in extras {
            line.append("  ")
            line.append(extra, Theme.faint)
        }
        return line
    }

    /// Socket id and address, in the order in which they are kept.
    private static func socket(_ state: ScreenState) -> [String] {
        guard case .online(let socketID) = state.connection.phase else { return [] }
        var parts = ["socket \(state.fitted(String(socketID.prefix(200)), to: 24))"]
        if let address = state.identity?.address, !address.isEmpty {
            parts.append(state.fitted(SafeText(String(address.prefix(200))).text, to: 47))
        }
        return parts
    }

    /// - Parameter length: 0 for all words, 2 for the fewest.
    private static func status(_ state: ScreenState, _ length: Int) -> (String, Style) {
        let full = state.isUnicode ? "●" : "*"
        let hollow = state.isUnicode ? "◌" : "o"
        if let replay = state.replay {
            let sign = state.isUnicode ? (replay.isOver ? "■" : "▶") : hollow
            return ("\(sign) \(length == 2 ? "replay" : replay.words(isUnicode: state.isUnicode))", Theme.waiting)
        }
        switch state.connection.phase {
        case .online:
            guard length == 0, let latency = state.connection.latency else { return ("\(full) online", Theme.online) }
            return ("\(full) online \(Words.latency(latency))", Theme.online)
        case .connecting(let attempt):
            let number = attempt > 1 && length == 0 ? " (attempt \(attempt))" : ""
            return ("\(hollow) connecting\(number)", Theme.waiting)
        case .waiting(let until, let attempt):
            let seconds = Words.countdown(until - state.now.uptime)
            let dot = state.isUnicode ? "·" : "-"
            switch length {
            case 0: return ("\(hollow) offline \(dot) retry \(attempt) in \(seconds) s (r now)", Theme.offline)
            case 1: return ("\(hollow) offline \(dot) \(seconds) s (r)", Theme.offline)
            default: return ("\(hollow) offline \(seconds) s", Theme.offline)
            }
        case .closed: return ("\(hollow) offline\(length == 0 ? " (F5 connects)" : "")", Theme.offline)
        }
    }
}
