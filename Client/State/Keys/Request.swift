/// What a key asks for. Keys, the help page and the footer are all made from these and ``KeyMap``.
enum Request: Hashable, Sendable, CaseIterable {
    // Anywhere.
    case palette, narrow
    case help, account, people, reconnect, nextPane, togglePause, quit, repaint, suspend, interrupt
    // The list and what is beside it.
    case down, up, pageDown, pageUp, halfPageDown, halfPageUp, first, last
    case explain
    case fold, foldAll, unfoldAll, showJSON, showDiff, showRaw, copyEvent, copyValue
    case open, toggleDiff, olderVersion, newerVersion, toggleWrap, retryNow, write, command, back
    // What of the list is shown, and where it stands.
    case filter, filters, toggleDimming, search, nextHit, previousHit
    case tabAll, tabEvents, tabChat, timeMode, setMark, goToMark, scrollLeft, scrollRight
    case completeTerm, flip, remove, clearFilters
    // Writing.
    case send, newLine, complete, historyOlder, historyNewer
    case left, right, lineStart, lineEnd, wordLeft, wordRight
    case deleteBackward, deleteForward, killToEnd, killToStart, killWord, killWordBackward, killWordForward
    case yank, transpose
    // Forms and menus.
    case nextField, previousField, choose, toggle, completeName
    // Pages that list what the server has.
    case reload, kick, kickAndClose
    // A question.
    case confirm, decline

    /// What it does, for the help page: a short plain sentence.
    var explanation: String {
        switch self {
        case .help: "shows all keys and commands; again, closes that"
        case .palette: "lists all that can be done; type a part of a name to find it"
        case .narrow: "shows only what holds the words that are typed"
        case .account: "shows who you are: log in, log out, your sessions"
        case .people: "shows who is on"
        case .reconnect: "closes the connection and makes a new one"
        case .nextPane: "moves the keys to the next pane: list, detail, input"
        case .togglePause: "holds the list where it is, or follows what comes"
        case .quit: "leaves the program"
        case .repaint: "paints the screen anew"
        case .suspend: "stops the program; fg in the shell continues it"
        case .interrupt: "clears what is being typed; a second time, leaves the program"
        case .down: "moves one down"
        case .up: "moves one up"
        case .pageDown: "moves a page down"
        case .pageUp: "moves a page up"
        case .halfPageDown: "moves half a page down"
        case .halfPageUp: "moves half a page up"
        case .first: "goes to the oldest"
        case .last: "goes to the newest; the list follows what comes"
        case .open: "opens the detail pane, which shows all of the event; again, closes it"
        case .fold: "folds or unfolds what opens here, or what this stands in"
        case .foldAll: "folds all parts of the row"
        case .unfoldAll: "unfolds all parts of the row"
        case .showJSON: "shows the row as JSON"
        case .showDiff: "shows what changed in the row since its version before"
        case .showRaw: "shows the event as it travels, on one line"
        case .copyEvent: "copies the event as a line of JSON"
        case .copyValue: "copies the row; in the detail pane, the value under the cursor"
        case .explain: "tells why somebody gets the event, or does not (for admins)"
        case .toggleDiff: "shows what changed, or the row as it is"
        case .olderVersion: "shows the row's version before, and goes to its line"
        case .newerVersion: "shows the row's next version, and goes to its line"
        case .toggleWrap: "wraps every line, or none but chat"
        case .retryNow: "tries to connect now"
        case .write: "goes to the input, to write a message"
        case .command: "goes to the input, to write a command"
        case .back: "goes back; in the end, to the list"
        case .filter: "shows only what a query holds for; beside other filters, all must hold"
        case .filters: "lists the filters, to switch, flip, edit or delete them"
        case .toggleDimming: "hides what the filters do not match, or dims it"
        case .search: "searches what is shown for a text or a query"
        case .nextHit: "goes to the next hit below; in the detail pane, to the next one there"
        case .previousHit: "goes to the next hit above; in the detail pane, to the one before there"
        case .tabAll: "shows all lines"
        case .tabEvents: "shows what is not chat"
        case .tabChat: "shows chat"
        case .timeMode: "tells the time by the clock, as how long ago, after the line above, or in UTC"
        case .setMark: "marks the line by the letter that is pressed next"
        case .goToMark: "goes to the mark of the letter that is pressed next; '' to the place before"
        case .scrollLeft: "scrolls lines that are cut back to their start"
        case .scrollRight: "scrolls lines that are cut to what follows"
        case .completeTerm: "completes a field, a model, an operation or a name"
        case .flip: "shows what the filter does not match, or what it does"
        case .remove: "deletes the filter"
        case .clearFilters: "deletes all filters, so that all is shown; so does /filter off"
        case .send: "sends the message, or does the command"
        case .newLine: "begins a new line in the message"
        case .complete: "completes a command, a room, a name or a query; from an empty line, goes to the list"
        case .historyOlder: "brings back what was written before"
        case .historyNewer: "brings back what was written after"
        case .left: "moves left"
        case .right: "moves right"
        case .lineStart: "moves to the line's start"
        case .lineEnd: "moves to the line's end"
        case .wordLeft: "moves a word left"
        case .wordRight: "moves a word right"
        case .deleteBackward: "deletes the character before the cursor"
        case .deleteForward: "deletes the character under the cursor"
        case .killToEnd: "cuts to the line's end"
        case .killToStart: "cuts to the line's start"
        case .killWord: "cuts back to the last space"
        case .killWordBackward: "cuts the word before the cursor"
        case .killWordForward: "cuts the word after the cursor"
        case .yank: "pastes what was cut"
        case .transpose: "swaps the two characters at the cursor"
        case .nextField: "moves to the next field"
        case .previousField: "moves to the field before"
        case .choose: "does what is selected; in a text, goes on"
        case .toggle: "switches on or off"
        case .completeName: "completes the name of somebody who is known"
        case .reload: "asks the server anew"
        case .kick: "leaves the socket, or all of the user's, to nobody"
        case .kickAndClose: "does the same, and disconnects"
        case .confirm: "does it"
        case .decline: "leaves all as it is"
        }
    }

    /// By which other words it is looked for.
    var synonyms: String {
        switch self {
        case .olderVersion, .newerVersion: "history versions previous next revision undo record older newer walk"
        case .toggleDiff, .showDiff: "history versions previous changes compare difference changed"
        case .open: "detail inspect view details expand"
        case .showJSON: "pretty record"
        case .showRaw: "packet wire"
        case .account: "login sign in out user session password identity"
        case .people: "who users online presence"
        case .filter, .filters: "query only hide narrow"
        case .remove, .clearFilters: "clear reset remove"
        case .search: "find grep"
        case .nextHit, .previousHit: "find match again"
        case .togglePause, .last: "pause follow freeze scroll tail newest bottom live"
        case .first: "top oldest beginning"
        case .copyEvent, .copyValue: "clipboard yank"
        case .explain: "why permission policy debug"
        case .toggleWrap: "wrap long lines"
        case .timeMode: "clock relative timestamp"
        case .setMark, .goToMark: "bookmark jump"
        case .reconnect, .retryNow: "connection retry refresh"
        case .write, .send: "chat message say type"
        case .command: "slash"
        case .quit: "exit close leave"
        case .historyOlder, .historyNewer: "history previous"
        case .help: "keys commands manual"
        case .palette: "menu actions"
        case .nextPane: "switch window focus tab"
        default: ""
        }
    }

    /// The one word that the footer has room for.
    var label: String {
        switch self {
        case .help: "help"
        case .palette: "palette"
        case .narrow: "find"
        case .account: "account"
        case .people: "people"
        case .reconnect: "reconnect"
        case .nextPane: "pane"
        case .togglePause: "pause"
        case .quit: "quit"
        case .down, .up: "move"
        case .open: "open"
        case .explain: "explain"
        case .fold: "fold"
        case .foldAll: "fold all"
        case .unfoldAll: "unfold all"
        case .showJSON: "Json"
        case .showDiff: "Diff"
        case .showRaw: "Raw"
        case .copyEvent: "copy"
        case .copyValue: "copy value"
        case .toggleDiff: "diff"
        case .olderVersion: "older"
        case .newerVersion: "newer"
        case .last: "follow"
        case .write: "type"
        case .retryNow: "retry"
        case .back: "back"
        case .send: "send"
        case .newLine: "new line"
        case .historyOlder: "history"
        case .interrupt: "clear"
        case .nextField: "next"
        case .choose: "ok"
        case .toggle: "switch"
        case .completeName: "complete"
        case .reload: "reload"
        case .kick: "kick"
        case .kickAndClose: "kick, disconnect"
        case .filter: "filter"
        case .filters: "filters"
        case .search: "search"
        case .nextHit: "next hit"
        case .previousHit: "hit above"
        case .completeTerm: "complete"
        case .flip: "flip"
        case .remove: "delete"
        case .clearFilters: "delete all"
        case .confirm: "yes"
        case .decline: "no"
        case .pageDown, .pageUp: "page"
        default: explanation
        }
    }
}
