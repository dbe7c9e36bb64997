/// The candidate that takes the fewest edits (a character added, left out, replaced, or two swapped) to become of a
/// mistyped word; the first of several, nil of none. For words: a longer text is compared by its first 64 characters.
func nearest(to word: String, among candidates: [String]) -> String? {
    let typed = Array(word.lowercased().prefix(64))
    return candidates.min {
        edits(typed, Array($0.lowercased().prefix(64))) < edits(typed, Array($1.lowercased().prefix(64)))
    }
}

/// Damerau's and Levenshtein's distance, in its restricted form.
private func edits(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
        var row = [i + 1]
        for j in right.indices {
            var cost = min(last[j] + (left[i] == right[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                cost = min(cost, beforeLast[j - 1] + 1)
            }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[right.count]
}
