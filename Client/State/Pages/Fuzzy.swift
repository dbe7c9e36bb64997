/// How well a name answers to what somebody types of it.
enum Fuzzy {
    /// Higher is better; nil where it does not answer at all.
    ///
    /// Each word that is typed must be found: its letters in their order in the name, not necessarily side by side, or
    /// the whole of it in the description. Letters count for more at the beginnings of the name's words, and beside
    /// one another.
    static func score(_ typed: String, name: String, description: String) -> Int? {
        let letters = Array(name.lowercased())
        var total = 0
        for word in typed.lowercased().split(separator: " ") {
            if let score = score(Array(word), in: letters) {
                total += 100 + score
            } else if description.lowercased().contains(word) {
                total += word.count
            } else {
                return nil
            }
        }
        return total
    }

    /// The best way to find the letters in their order.
    private static func score(_ word: [Character], in name: [Character]) -> Int? {
        guard !word.isEmpty, word.count <= name.count else { return word.isEmpty ? 0 : nil }
        // For each place of the name, the best score with the word's letters so far and the last one there.
        var before = [Int?](repeating: nil, count: name.count)
        for (number, letter) in word.enumerated() {
            var now = [Int?](repeating: nil, count: name.count)
            var best: Int?
            for place in name.indices {
                if number > 0, place > 1, let candidate = before[place - 2] { best = max(best ?? candidate, candidate) }
                guard name[place] == letter else { continue }
                let starts = place == 0 || !name[place - 1].isLetter
                let own = (starts ? 6 : 0) + (place == 0 ? 4 : 0)
                if number == 0 {
                    now[place] = own - min(place, 5)
                } else {
                    let beside = place > 0 ? before[place - 1].map { $0 + 5 } : nil
                    if let most = [best, beside].compactMap({ $0 }).max() { now[place] = most + own }
                }
            }
            before = now
        }
        guard let best = before.compactMap({ $0 }).max() else { return nil }
        // Of two that hold the same letters the shorter one is nearer.
        return best * 4 - name.count
    }
}
