/// Keys, looks and other wishes of the user, changed while the screen is open.
extension ScreenState {
    /// What the configuration file says of the screen.
    mutating func adopt(_ file: ConfigurationFile) {
        keys = file.keys
        theme = file.theme
        isWrapped = file.isWrapped
        for text in file.watches { _ = addWatch(text) }
        for mistake in file.mistakes { note("\(mistake)", .alarm) }
        if !file.mistakes.isEmpty {
            alarm("The configuration file has \(Words.count(file.mistakes.count, "mistake")).")
        }
    }

    /// `/bind CONTEXT KEY REQUEST`.
    mutating func bind(_ argument: String) -> [Effect]? {
        let words = argument.split(separator: " ").map(String.init)
        do {
            keys = try keys.binding(words)
        } catch {
            alarm("/bind: \(error)")
            return nil
        }
        say("\(words[1]) in \(words[0]): \(words[2]). For good, write it into the configuration file.")
        return []
    }

    /// `/connect URL`.
    mutating func connect(_ argument: String) -> [Effect]? {
        do {
            let origin = try ServerOrigin(parsing: argument)
            guard origin != server else {
                alarm("This is \(origin) already; /reconnect connects anew.")
                return nil
            }
            return [.connect(origin)]
        } catch {
            alarm("/connect: \(error)")
            return nil
        }
    }

    /// `/set NAME VALUE`; without them, what is set.
    mutating func set(_ argument: String) -> [Effect]? {
        let words = argument.split(separator: " ").map(String.init)
        guard !words.isEmpty else {
            say("theme \(theme.rawValue)  wrap \(isWrapped ? "on" : "off")")
            return []
        }
        guard words.count == 2 else {
            alarm("/set NAME VALUE; the names are \(ScreenSetting.names.joined(separator: ", ")).")
            return nil
        }
        do {
            switch try ScreenSetting(words[0].lowercased(), words[1]) {
            case .theme(let theme): self.theme = theme
            case .wrap(let isWrapped):
                self.isWrapped = isWrapped
                keepSelectionInSight()
            }
        } catch {
            alarm("/set: \(error)")
            return nil
        }
        say("\(words[0].lowercased()) is \(words[1].lowercased()).")
        return []
    }

    /// `/theme NAME`; without one, the next theme.
    mutating func setTheme(_ argument: String) -> [Effect]? {
        guard argument.isEmpty else { return set("theme \(argument)") }
        let all = ThemeChoice.allCases
        let place = all.firstIndex(of: theme) ?? 0
        return set("theme \(all[(place + 1) % all.count].rawValue)")
    }
}
