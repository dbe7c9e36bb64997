/// What is to be put into a database so that changes of models come into the log, or what was put there.
public struct AttachmentPlan: Hashable, Sendable {
    public struct Step: Hashable, Sendable {
        /// Nil for what is the store's own.
        public var model: String?
        /// For the database's owner: `5 triggers on orders, for the model order`.
        public var sentence: String
        /// The statements.
        public var sql: String

        public init(model: String?, sentence: String, sql: String) {
            self.model = model
            self.sentence = sentence
            self.sql = sql
        }
    }

    public var steps: [Step]
    /// The tables of another owner that have never been attached: putting anything there needs the owner's consent.
    public var strangers: [String]
    /// Whether the database has another owner, and nothing of the store is in it yet.
    public var isNewToDatabase: Bool

    public init(steps: [Step], strangers: [String], isNewToDatabase: Bool) {
        self.steps = steps
        self.strangers = strangers
        self.isNewToDatabase = isNewToDatabase
    }

    public var needsConsent: Bool { isNewToDatabase || !strangers.isEmpty }
    public var isEmpty: Bool { steps.isEmpty }
}

/// Whether something may be put into tables of another owner.
public enum Consent: Hashable, Sendable {
    /// The owner has agreed, or there is no other owner.
    case given
    /// Only where the owner has agreed before: tables that have been attached once, and a database that is the store's own.
    case required
}

/// How a model stands with its database.
public struct ModelStatus: Hashable, Sendable, CustomStringConvertible {
    public enum State: Hashable, Sendable {
        case attached
        /// Its table has changed since: columns do not come into the log yet, or triggers are missing.
        case outdated
        /// The table is there, and nothing of the store is on it.
        case notAttached
        /// Attached once, and not a model of the configuration any more.
        case undeclared
        /// It can't be a model, as the sentence says.
        case unusable(String)
    }

    public var model: String
    public var table: String
    public var state: State
    /// How many entries the log holds of it.
    public var events: Int64

    public init(model: String, table: String, state: State, events: Int64) {
        self.model = model
        self.table = table
        self.state = state
        self.events = events
    }

    public var description: String {
        let logged = "\(events) \(events == 1 ? "event" : "events") in the log"
        switch state {
        case .attached: return "\(model) (\(table)): attached, \(logged)"
        case .outdated:
            return "\(model) (\(table)): attached, and out of date: run \"rolecall-server models sync\"; \(logged)"
        case .notAttached: return "\(model) (\(table)): not attached: run \"rolecall-server models attach\""
        case .undeclared:
            return "\(model) (\(table)): attached, and not in the configuration: "
                + "run \"rolecall-server models detach \(model)\", or put it back; \(logged)"
        case .unusable(let sentence): return "\(model) (\(table)): \(sentence)"
        }
    }
}
