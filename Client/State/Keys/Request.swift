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
    case completeTerm, flip, remove
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

    /// What it does, for the help page.
    var explanation: String {
        switch self {
        case .help: "this help"
        case .palette: "all that can be done, found by typing"
        case .narrow: "show only what holds the words that are typed"
        case .account: "who you are: log in, log out, your sessions"
        case .people: "who is on"
        case .reconnect: "connect anew"
        case .nextPane: "to the next pane"
        case .togglePause: "hold the list, or follow what comes"
        case .quit: "leave the program"
        case .repaint: "paint the screen anew"
        case .suspend: "stop the program; fg continues it"
        case .interrupt: "clear the input; a second time, leave"
        case .down: "one down"
        case .up: "one up"
        case .pageDown: "a page down"
        case .pageUp: "a page up"
        case .halfPageDown: "half a page down"
        case .halfPageUp: "half a page up"
        case .first: "to the oldest"
        case .last: "to the newest, and follow what comes"
        case .open: "show all of it; again, close it"
        case .fold: "fold or unfold what opens here, or what this stands in"
        case .foldAll: "fold all parts"
        case .unfoldAll: "unfold all parts"
        case .showJSON: "the row as JSON"
        case .showDiff: "what changed in the row"
        case .showRaw: "the event as it travels, on one line"
        case .copyEvent: "copy the event as a line of JSON"
        case .copyValue: "copy the row; in the detail pane, the value here"
        case .explain: "why somebody gets the event, or does not (admin)"
        case .toggleDiff: "what changed, or the row as it is"
        case .olderVersion: "the row's version before"
        case .newerVersion: "the row's next version"
        case .toggleWrap: "wrap every line, or none but chat"
        case .retryNow: "try to connect now"
        case .write: "write a message"
        case .command: "write a command"
        case .back: "back; in the end, to the list"
        case .filter: "show only what a query holds for"
        case .filters: "the filters: switch, flip, edit, delete them"
        case .toggleDimming: "hide what does not match, or dim it"
        case .search: "search for a text or a query"
        case .nextHit: "to the next hit below"
        case .previousHit: "to the next hit above"
        case .tabAll: "all lines"
        case .tabEvents: "what is not chat"
        case .tabChat: "chat"
        case .timeMode: "the time: clock, relative, delta, UTC"
        case .setMark: "mark the line by the letter that follows"
        case .goToMark: "to the mark of that letter; '' to the place before"
        case .scrollLeft: "lines that are cut: back to their start"
        case .scrollRight: "lines that are cut: what follows"
        case .completeTerm: "complete a field, a model, an operation, a name"
        case .flip: "show what does not match, or what does"
        case .remove: "delete the filter"
        case .send: "send the message, or do the command"
        case .newLine: "a new line in the message"
        case .complete: "complete a command, a room or a name; from an empty line, to the list"
        case .historyOlder: "what was written before"
        case .historyNewer: "what was written after"
        case .left: "left"
        case .right: "right"
        case .lineStart: "to the line's start"
        case .lineEnd: "to the line's end"
        case .wordLeft: "a word left"
        case .wordRight: "a word right"
        case .deleteBackward: "delete before the cursor"
        case .deleteForward: "delete under the cursor"
        case .killToEnd: "cut to the line's end"
        case .killToStart: "cut to the line's start"
        case .killWord: "cut back to the last space"
        case .killWordBackward: "cut the word before"
        case .killWordForward: "cut the word after"
        case .yank: "paste what was cut"
        case .transpose: "swap two characters"
        case .nextField: "to the next field"
        case .previousField: "to the field before"
        case .choose: "do it; in a text, go on"
        case .toggle: "switch on or off"
        case .completeName: "complete the name of somebody who is known"
        case .reload: "ask the server anew"
        case .kick: "leave the socket, or all of the user, to nobody"
        case .kickAndClose: "the same, and disconnect"
        case .confirm: "yes, do it"
        case .decline: "no, leave all as it is"
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
        case .confirm: "yes"
        case .decline: "no"
        case .pageDown, .pageUp: "page"
        default: explanation
        }
    }
}
