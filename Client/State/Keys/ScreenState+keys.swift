import RolecallProtocol
import Terminal

extension ScreenState {
    mutating func reduce(_ key: Key) -> [Effect] {
        let wasArmed = isQuitArmed
        isQuitArmed = false
        message = nil
        let context = self.context
        if context == .confirmation {
            guard let request = keys.request(for: key, in: context) else {
                say("y does it; n leaves all as it is.")
                return []
            }
            if request == .confirm || request == .decline { return reduceConfirmation(request) }
            // Whoever does something else has not said yes.
            confirmation = nil
        }
        // A character is text where one is typed, unless the place has a use for it.
        guard let request = keys.request(for: key, in: context) else {
            return type(key, in: context)
        }
        if context == .mark, request != .back { awaitedMark = nil }
        if request == .interrupt { return interrupt(wasArmed: wasArmed) }
        return perform(request, in: context)
    }

    /// Does what a key of a place asks for.
    mutating func perform(_ request: Request, in context: KeyContext) -> [Effect] {
        if replay != nil, request.needsServer {
            alarm(Self.noServer)
            return []
        }
        switch request {
        case .quit: return [.quit(.done)]
        case .repaint: return [.repaint]
        case .suspend: return [.suspend]
        case .help: toggleHelp()
        case .palette: togglePalette()
        case .account: return toggleAccount()
        case .people: return togglePeople()
        case .explain: return askToExplain()
        case .reconnect: return [.reconnect]
        case .retryNow:
            if case .online = connection.phase {
                say("The connection stands; F5 makes a new one.")
                return []
            }
            return [.reconnect]
        case .togglePause: view.isFollowing ? hold() : follow()
        case .nextPane: nextPane()
        case .back: back()
        case .filter: openPrompt(.filter(place: nil))
        case .search: openPrompt(.search)
        case .tabAll: show(.all)
        case .tabEvents: show(.events)
        case .tabChat: show(.chat)
        default:
            switch context {
            case .list, .anywhere: return reduceList(request)
            case .detail: return reduceDetail(request)
            case .input: return reduceInput(request)
            case .form: return reduceForm(request)
            case .account: return reduceAccount(request)
            case .people: return reducePeople(request)
            case .whom: return reduceWhom(request)
            case .explanation: return reduceExplanation(request)
            case .confirmation: return []
            case .filter, .search: return reducePrompt(request)
            case .filters: reduceFilters(request)
            // The key was no mark's name, and has a use of its own.
            case .mark: return reduceList(request)
            case .help, .helpSearch: reduceHelp(request)
            case .palette: return reducePalette(request)
            }
        }
        return []
    }

    private mutating func type(_ key: Key, in context: KeyContext) -> [Effect] {
        switch context {
        case .input:
            if let character = key.text { input.insert(String(character)) }
        case .form:
            if let character = key.text { editForm { $0.insert(String(character)) } }
        case .whom:
            if let character = key.text { _ = typeWhom(String(character)) }
        case .filter, .search:
            if let character = key.text { typeInPrompt(String(character)) }
        case .mark: typeMark(key)
        case .palette:
            if let character = key.text { _ = typeInPalette(String(character)) }
        case .helpSearch:
            if let character = key.text { _ = typeInHelp(String(character)) }
        case .list, .detail, .account, .people, .explanation, .filters, .help, .confirmation, .anywhere:
            say("\(key) does nothing here; F1 tells what does.")
        }
        return []
    }

    mutating func reduce(_ paste: Paste) -> [Effect] {
        isQuitArmed = false
        message = nil
        var dropped = 0
        switch page {
        case .login: editForm { dropped = $0.insert(paste.text) }
        case .explanation: dropped = typeWhom(paste.text)
        case .palette: dropped = typeInPalette(paste.text)
        case .help: dropped = typeInHelp(paste.text)
        case .account, .people, .filters: return []
        case nil where prompt != nil: dropped = typeInPrompt(paste.text)
        case nil:
            focus = .input
            dropped = input.insert(paste.text)
        }
        if paste.isTruncated {
            alarm("The paste was too long; this is its beginning.")
        } else if dropped > 0 {
            alarm("\(dropped) character\(dropped == 1 ? " was" : "s were") left out of the paste.")
        }
        return []
    }

    // MARK: Anywhere

    private mutating func interrupt(wasArmed: Bool) -> [Effect] {
        if wasArmed { return [.quit(.done)] }
        isQuitArmed = true
        if case .login = page {
            editForm { $0.clear() }
        } else if case .explanation(var asked) = page, asked.isAsking {
            asked.whom.clear()
            page = .explanation(asked)
        } else if page == nil, prompt != nil {
            clearPrompt()
        } else if case .palette(var palette) = page {
            palette.filter.clear()
            palette.selected = 0
            page = .palette(palette)
        } else if case .help(var help) = page, help.isTyping {
            help.search?.clear()
            page = .help(help)
        } else if !input.isEmpty {
            input.clear()
        }
        say("Ctrl-C again leaves.")
        return []
    }

    private mutating func toggleHelp() {
        if case .help = page { page = nil } else { page = .help(HelpPage()) }
    }

    private mutating func nextPane() {
        guard page == nil, prompt == nil else { return }
        switch focus {
        case .list: focus = detail.isOpen ? .detail : .input
        case .detail: focus = .input
        case .input: focus = .list
        }
    }

    private mutating func back() {
        if case .palette = page {
            closePalette()
        } else if endHelpSearch() {
            // What was looked for is left first.
        } else if page != nil {
            page = nil
        } else if prompt != nil {
            leavePrompt()
        } else if awaitedMark != nil {
            awaitedMark = nil
        } else if focus == .input {
            focus = .list
        } else if detail.isOpen {
            detail = DetailPosition()
            focus = .list
            keepSelectionInSight()
        } else if search != nil {
            endSearch()
        } else {
            focus = .list
        }
    }

    // MARK: Input

    private mutating func reduceInput(_ request: Request) -> [Effect] {
        switch request {
        case .send: return submitInput()
        case .newLine: input.insert("\n")
        case .complete:
            if completeInput() { break }
            // Whoever is in the midst of a text goes on with it; in the list its letters would be commands.
            if input.isEmpty { focus = .list } else { say("There is nothing to complete here; Esc goes to the list.") }
        case .historyOlder: if !input.moveLine(by: -1) { input.recall(-1) }
        case .historyNewer: if !input.moveLine(by: 1) { input.recall(1) }
        case .pageUp, .pageDown: return reduceList(request)
        default: input.perform(request)
        }
        return []
    }

    // MARK: Pages

    private mutating func editForm(_ edit: (inout LineEditor) -> Void) {
        guard case .login(var form) = page, !form.isBusy, var editor = form.editor else { return }
        let before = editor.characters
        edit(&editor)
        // A refused password can't be seen to be mended: what is typed next stands in its place, not behind it.
        if form.field == .password, form.fault?.field == .password, editor.characters != before {
            editor.clear()
            edit(&editor)
        }
        form.editor = editor
        form.fault = nil
        page = .login(form)
    }

    private mutating func reduceForm(_ request: Request) -> [Effect] {
        guard case .login(var form) = page, !form.isBusy else { return [] }
        switch request {
        case .nextField: form.move(1)
        case .previousField: form.move(-1)
        case .toggle where form.editor == nil:
            if form.field == .submit { return submit(&form) }
            form.staysSignedIn.toggle()
        case .choose:
            switch form.field {
            case .server, .email: form.move(1)
            case .staysSignedIn: form.staysSignedIn.toggle()
            case .password, .submit: return submit(&form)
            }
        case .toggle:
            editForm { $0.insert(" ") }
            return []
        default:
            editForm { $0.perform(request) }
            return []
        }
        page = .login(form)
        return []
    }

    private mutating func submit(_ form: inout LoginForm) -> [Effect] {
        let request = form.submit(isInsecureAllowed: isInsecureAllowed)
        page = .login(form)
        return request.map { [.logIn($0)] } ?? []
    }
}

extension LineEditor {
    /// Obeys the requests that edit; does nothing for others.
    mutating func perform(_ request: Request) {
        switch request {
        case .left: moveLeft()
        case .right: moveRight()
        case .lineStart: moveToStart()
        case .lineEnd: moveToEnd()
        case .wordLeft: moveWordLeft()
        case .wordRight: moveWordRight()
        case .deleteBackward: deleteBackward()
        case .deleteForward: deleteForward()
        case .killToEnd: killToEnd()
        case .killToStart: killToStart()
        case .killWord: killBackToSpace()
        case .killWordBackward: killWordBackward()
        case .killWordForward: killWordForward()
        case .yank: yank()
        case .transpose: transpose()
        default: break
        }
    }
}
