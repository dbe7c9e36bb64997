import Terminal

/// Why a key can't be bound so; a whole sentence that says what would be right.
struct BindingError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension KeyContext {
    /// What it is called in the configuration file: `help-search`.
    var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
    }

    /// Whether characters are typed there.
    var isTyping: Bool {
        switch self {
        case .input, .form, .whom, .filter, .search, .mark, .helpSearch, .palette: true
        case .anywhere, .list, .detail, .account, .people, .explanation, .filters, .help, .confirmation: false
        }
    }
}

extension KeyMap {
    /// Without these nobody would find out of a place, or do what it is for.
    private static let essential: [Request] = [.interrupt, .quit, .back, .send, .choose, .confirm, .decline, .help]

    /// The table with another use for a key, as `bind CONTEXT KEY REQUEST` says it; the request `none` takes the key's
    /// use away.
    func binding(_ words: [String]) throws(BindingError) -> KeyMap {
        guard words.count == 3 else {
            throw BindingError("It is bind CONTEXT KEY REQUEST, as in: bind list x copy-event.")
        }
        guard let context = KeyContext.allCases.first(where: { $0.name == words[0].lowercased() }) else {
            let names = KeyContext.allCases.map(\.name)
            throw BindingError(
                "There is no place \(words[0]); did you mean \(nearest(to: words[0], among: names) ?? "list")? "
                    + "There are \(names.joined(separator: ", ")).")
        }
        guard let key = Key(words[1]) else {
            throw BindingError("\(words[1]) is no key; write x, Ctrl-X, Alt-X, F5, Enter, Space, PgUp or Shift-Tab.")
        }
        guard words[2] != "none" else { return try replacing(key, with: nil, in: context) }
        guard let request = Request.allCases.first(where: { $0.name == words[2].lowercased() }) else {
            let near = nearest(to: words[2], among: Request.allCases.map(\.name)) ?? "help"
            throw BindingError("There is no request \(words[2]); did you mean \(near)?")
        }
        return try replacing(key, with: request, in: context)
    }

    private func replacing(_ key: Key, with request: Request?, in context: KeyContext) throws(BindingError) -> KeyMap {
        if let request {
            let places = Set(Self.standard.bindings.filter { $0.request == request }.map(\.context))
            guard places.contains(context) || places.contains(.anywhere) else {
                let names = KeyContext.allCases.filter(places.contains).map(\.name).joined(separator: ", ")
                throw BindingError("\(request.name) does nothing in \(context.name); it is for \(names).")
            }
            let isText = key.text != nil && (context.isTyping || context == .anywhere)
            guard !isText || Self.standard.request(for: key, in: context) == request else {
                throw BindingError(
                    "\(key) is text \(context == .anywhere ? "where one types" : "in \(context.name)"); bind a function "
                        + "key, or one with Ctrl or Alt.")
            }
        }
        var changed: [Binding] = []
        var isBound = false
        for binding in bindings {
            guard binding.context == context else {
                changed.append(binding)
                continue
            }
            var keys = binding.keys.filter { $0 != key }
            if binding.request == request, !isBound {
                keys.insert(key, at: 0)
                isBound = true
            }
            if !keys.isEmpty { changed.append(Binding(context: context, keys: keys, request: binding.request)) }
        }
        if let request, !isBound { changed.append(Binding(context: context, keys: [key], request: request)) }
        let map = KeyMap(changed)
        for place in KeyContext.allCases {
            for request in Self.essential where isReachable(request, in: place) && !map.isReachable(request, in: place)
            {
                throw BindingError(
                    "Then no key would ask for \(request.name) in \(place.name); bind another one first.")
            }
        }
        return map
    }

    private func isReachable(_ request: Request, in context: KeyContext) -> Bool {
        bindings.contains { binding in
            binding.request == request && (binding.context == context || binding.context == .anywhere)
                && binding.keys.contains { self.request(for: $0, in: context) == request }
        }
    }
}
