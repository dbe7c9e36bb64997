import Yams

/// What the parser found to be no YAML, in words that help whoever wrote the file.
struct YAMLProblem {
    var location: Location
    var sentence: String

    init(_ error: any Error, in text: YAMLText) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            self.init(problem, context: context, mark: mark, text: text)
        case .composer(_, let problem, let mark, _):
            // Aliases are ours, so there is one problem left.
            self.init(
                location: text.location(of: mark),
                sentence: problem.contains("another document")
                    ? "a second document begins here; a configuration is one, so leave out the ---"
                    : "this is no YAML: \(problem)")
        default:
            self.init(location: .start, sentence: "the file can't be read as YAML")
        }
    }

    private init(location: Location, sentence: String) {
        self.location = location
        self.sentence = sentence
    }

    private init(_ problem: String, context: YamlError.Context?, mark: Mark, text: YAMLText) {
        location = text.location(of: mark)
        let beginning = text.beginning(ofLineAt: mark)
        if beginning.contains("\t"), beginning.allSatisfy({ $0 == " " || $0 == "\t" }) || problem.contains("tab") {
            sentence = "a tab stands where only spaces indent; replace it by spaces"
            return
        }
        switch problem {
        case "mapping values are not allowed in this context":
            sentence = "a second \": \" stands in this line; put the text in quotes, or begin a new line"
        case "could not find expected ':'":
            let line = context.map { text.location(of: $0.mark) }
            location = line ?? location
            sentence = "a name stands here without its value; write \"name: value\""
        case "did not find expected key", "did not find expected '-' indicator",
            "block sequence entries are not allowed in this context", "mapping keys are not allowed in this context":
            sentence = "this is not indented like what it belongs to; indent names of one level alike"
        case "found unexpected end of stream", "found unexpected document indicator":
            location = context.map { text.location(of: $0.mark) } ?? location
            sentence = "the quotes that open here are never closed; close them"
        case "did not find expected ',' or ']'":
            location = context.map { text.location(of: $0.mark) } ?? location
            sentence = "the list that opens here with [ is not closed; put commas between its values and ] behind them"
        case "did not find expected ',' or '}'":
            location = context.map { text.location(of: $0.mark) } ?? location
            sentence =
                "the mapping that opens here with { is not closed; put commas between its values and } behind them"
        case "found character that cannot start any token":
            sentence = "no value can begin with this character; put the text in quotes"
        case "found unknown escape character", "did not find expected hexdecimal number",
            "found invalid Unicode character escape code":
            sentence = "this is no escape of YAML; write \\\\ for \\, or use single quotes"
        case _ where problem.contains("nesting level"):
            sentence = "this stands more than \(YAMLReader.maximumDepth) levels deep, where nothing is configured"
        default:
            sentence = "this is no YAML: \(problem)"
        }
    }
}
