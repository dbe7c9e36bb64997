/// What a login needs, while it is being typed; pure.
struct LoginForm: Hashable, Sendable {
    enum Field: Int, Hashable, Sendable, CaseIterable {
        case server
        case email
        case password
        case staysSignedIn
        case submit
    }

    /// What is wrong, at the place where it is wrong.
    struct Fault: Hashable, Sendable {
        /// Nil where it concerns the login as a whole.
        var field: Field?
        /// A whole sentence, made safe.
        var message: String
    }

    var server: LineEditor
    var email: LineEditor
    var password = LineEditor()
    var staysSignedIn = true
    var field: Field
    var fault: Fault?
    /// A login is on its way; until its answer nothing can be changed.
    var isBusy = false

    init(server: String, email: String = "") {
        self.server = LineEditor(server)
        self.email = LineEditor(email)
        field = email.isEmpty ? .email : .password
    }

    /// Changes the text that has the cursor; nil where none has.
    var editor: LineEditor? {
        get {
            switch field {
            case .server: server
            case .email: email
            case .password: password
            case .staysSignedIn, .submit: nil
            }
        }
        set {
            guard let newValue else { return }
            switch field {
            case .server: server = newValue
            case .email: email = newValue
            case .password: password = newValue
            case .staysSignedIn, .submit: break
            }
        }
    }

    mutating func move(_ step: Int) {
        let count = Field.allCases.count
        field = Field(rawValue: (field.rawValue + step + count) % count) ?? .email
    }

    /// The login that it asks for; nil where something is missing, which it then shows.
    mutating func submit(isInsecureAllowed: Bool) -> LoginRequest? {
        fault = nil
        let origin: ServerOrigin
        do {
            origin = try ServerOrigin(parsing: server.text.trimmed)
        } catch {
            return fail(.server, error.description)
        }
        guard origin.mayCarryPassword || isInsecureAllowed else {
            return fail(.server, "Without TLS anybody on the way could read the password; use https://.")
        }
        let address = email.text.trimmed
        guard !address.isEmpty else { return fail(.email, "Type your e-mail address.") }
        guard !password.isEmpty else { return fail(.password, "Type your password.") }
        isBusy = true
        return LoginRequest(
            server: origin, email: address, password: Secret(password.text), staysSignedIn: staysSignedIn)
    }

    mutating func fail(_ field: Field?, _ message: String) -> LoginRequest? {
        isBusy = false
        fault = Fault(field: field, message: SafeText(message).text)
        if let field { self.field = field }
        return nil
    }
}

/// Who wants to be associated, where.
struct LoginRequest: Hashable, Sendable {
    var server: ServerOrigin
    var email: String
    var password: Secret
    var staysSignedIn: Bool
}

/// A text that must not be seen: it prints itself as a placeholder.
struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String

    init(_ text: String) { self.text = text }

    var description: String { "⟨secret⟩" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    fileprivate var trimmed: String {
        let inner = drop { $0.isWhitespace }
        return String(inner.reversed().drop { $0.isWhitespace }.reversed())
    }
}
