import RolecallProtocol

/// How the renewal of a login ended.
enum Renewal: Hashable, Sendable {
    /// - Parameter remark: what went wrong beside it, a whole sentence.
    case renewed(remark: String?)
    /// The server will not; asking again is of no use.
    /// - Parameter reason: a whole sentence.
    case refused(reason: String)
    /// It may work later.
    /// - Parameter reason: a whole sentence.
    case failed(reason: String)
}

extension Application {
    /// Gets a token that lasts longer, associates the socket with it without a gap, and keeps it in the place of the
    /// old one where that was saved.
    func renewLogin(of supervisor: ConnectionSupervisor, at server: ServerOrigin) async -> Renewal {
        guard let old = await supervisor.credential else { return .refused(reason: "There is no login to renew.") }
        let new: Token
        do {
            new = try await account(token: old, at: server).refresh()
        } catch let failure as Failure {
            return failure.mayHeal ? .failed(reason: failure.message) : .refused(reason: failure.message)
        } catch {
            return .failed(reason: "\(error)")
        }
        guard await supervisor.credential == old else {
            return .refused(reason: "Somebody else is logged in by now.")
        }
        do {
            let answer = try await supervisor.login(
                command: RequestName.renewal, token: new, timeout: Self.answerTimeout)
            if case .refused(let error) = answer { return .refused(reason: error.message) }
        } catch RequestFailure.timedOut {
            return .failed(reason: RequestFailure.timedOut.description)
        } catch {
            // The next connection is associated by its handshake.
            await supervisor.present(new)
        }
        do {
            if configuration.tokenDirectory != nil { _ = try await tokenStore().renew(old, with: new, for: server) }
            return .renewed(remark: nil)
        } catch {
            return .renewed(remark: "The renewed login was not saved: \(error)")
        }
    }
}

extension Failure {
    /// Whether the same request may be granted later with nobody changing anything here.
    fileprivate var mayHeal: Bool {
        exitCode == .failed && code != ErrorCode.notFound.rawValue && code != "http_404"
    }
}
