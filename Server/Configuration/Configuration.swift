import ModelStore
import NIOCore
import RolecallCore
import SocketIOServer

/// All that a server is told at its start.
struct Configuration: Sendable {
    var host = "127.0.0.1"
    /// 0 picks a free one.
    var port = 9000
    /// The database, as a URL: `sqlite:FILE`.
    var storeURL: String
    /// The file with the tokens' key.
    var keyPath: String
    /// Whether a missing key file is made.
    var makesKey = true
    /// Brings the demo's model, accounts and rows.
    var isDemo = false
    /// Changes per second that the demo makes by itself.
    var demoActivity = 0.0
    /// Seconds.
    var tokenLifetime = 5 * 3600
    /// How long a user without a socket is still shown as on.
    var presenceLinger = TimeAmount.seconds(5)
    /// The longest time over which sockets are let go when the server ends.
    var drainTime = TimeAmount.seconds(5)
    /// How often the log is looked at for what is to be forgotten.
    var pruningInterval = Duration.seconds(30)
    /// How often sockets that were sent nothing are told how far the log is.
    var positionInterval = TimeAmount.seconds(10)
    var socketIO = SocketIOServerConfiguration()
    var allowedOrigins: [String] = []
    /// The configuration file; nil for the built-in models alone.
    var file: LoadedFile?
    /// Whether triggers are put on tables of other programs without asking.
    var attaches = false
    /// Whether no row, no message and no account is changed through this server.
    var isReadOnly = false
    /// The PEM files of the certificate and its key; nil for plain HTTP.
    var tlsFiles: (certificate: String, key: String)?
    /// Whether accounts can be made without one.
    var allowsSignUp = false
    /// The largest HTTP body, in bytes.
    var maximumBody = 1_000_000
    var passwordParameters = PasswordHasher.Parameters.standard
}
