import CNcurses
import Glibc

/// The process's character set.
enum TerminalLocale {
    /// Takes the environment's, and says whether it is UTF-8.
    ///
    /// Only LC_CTYPE, which is all that curses needs: LC_NUMERIC would change what `strtod` makes of "1.5" in every
    /// C library of the process. Where the environment asks for UTF-8 in a locale that is not installed, as in a
    /// container or over ssh, any other locale in UTF-8 does as well.
    @MainActor
    static func adopt(environment: [String: String]) -> Bool {
        _ = setlocale(LC_CTYPE, "")
        if isUTF8 { return true }
        let wanted = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        guard namesUTF8(wanted) else { return false }
        for name in ["C.UTF-8", "C.utf8", "en_US.UTF-8"] where setlocale(LC_CTYPE, name) != nil && isUTF8 {
            return true
        }
        return false
    }

    private static var isUTF8: Bool {
        guard let name = nl_langinfo(CInt(CODESET)) else { return false }
        return String(cString: name) == "UTF-8"
    }

    /// Whether a locale's name ends in a codeset that is UTF-8 in any of its spellings.
    static func namesUTF8(_ locale: String) -> Bool {
        guard let codeset = locale.split(separator: ".", maxSplits: 1).dropFirst().first else { return false }
        let folded = codeset.prefix { $0 != "@" }.lowercased()
        return folded == "utf-8" || folded == "utf8"
    }
}
