import ArgumentParser
import Testing

@testable import RolecallCore
@testable import RolecallServer

@Suite("Settings from options, environment and configuration file")
struct SettingsTests {
    private let file = ["port": Settings.FromFile(values: ["82"], place: "rolecall.yml:3:7")]

    private func sentence(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StartupError)?.description
        }
    }

    @Test("an option wins over the environment, the environment over the file, the file over the default")
    func precedence() throws {
        var settings = Settings(environment: ["ROLECALL_PORT": "81"], file: file)
        #expect(try settings.integer("port", 80, 0...100, default: 7) == 80)
        #expect(try settings.integer("port", nil, 0...100, default: 7) == 81)
        settings.environment = [:]
        #expect(try settings.integer("port", nil, 0...100, default: 7) == 82)
        settings.file = [:]
        #expect(try settings.integer("port", nil, 0...100, default: 7) == 7)
    }

    @Test("a flag of the command line can't be taken back by the environment or the file")
    func flags() throws {
        let settings = Settings(
            environment: ["ROLECALL_A": "0"], file: ["b": .init(values: ["false"], place: "f:1:1")])
        #expect(try settings.flag("a", true))
        #expect(try !settings.flag("a", false))
        #expect(try settings.flag("b", true))
        #expect(try !settings.flag("b", false))
        #expect(try !settings.flag("c", false))
    }

    @Test("what is wrong is said of the place in which it stands")
    func places() {
        let settings = Settings(
            environment: ["ROLECALL_P": "x", "ROLECALL_D": "maybe"],
            file: ["q": .init(values: ["no"], place: "f.yml:2:1"), "s": .init(values: ["7x"], place: "f.yml:5:4")])
        #expect(
            sentence { _ = try settings.integer("p", nil, 0...9, default: 1) }
                == "ROLECALL_P is a whole number from 0 to 9.")
        #expect(
            sentence { _ = try settings.integer("p", 10, 0...9, default: 1) } == "--p is a whole number from 0 to 9.")
        #expect(
            sentence { _ = try settings.integer("q", nil, 0...9, default: 1) }
                == "f.yml:2:1: q is a whole number from 0 to 9.")
        #expect(sentence { _ = try settings.flag("d", false) } == "ROLECALL_D is 1 or 0.")
        #expect(
            sentence { _ = try settings.duration("s", nil, default: 1) }
                == "f.yml:5:4: s takes seconds or a time like 30m, 5h or 7d, not 7x.")
        #expect(sentence { _ = try settings.rate("r", .infinity) } != nil)
    }

    @Test("a path of the file is beside the file, one of the command line is where it is given")
    func paths() {
        let settings = Settings(
            environment: [:],
            file: [
                "data": .init(values: ["db"], place: "f:1:1"),
                "store": .init(values: ["sqlite:shop.db"], place: "f:2:1"),
                "key-file": .init(values: ["/etc/key"], place: "f:3:1"),
            ], fileDirectory: "/srv/shop")
        #expect(settings.path("data", nil)?.text == "/srv/shop/db")
        #expect(settings.path("data", "here")?.text == "here")
        #expect(settings.storeURL(nil)?.text == "sqlite:/srv/shop/shop.db")
        #expect(settings.path("key-file", nil)?.text == "/etc/key")
        #expect(settings.path("other", nil) == nil)
    }

    @Test("lists come from one place, whole")
    func lists() {
        let settings = Settings(
            environment: ["ROLECALL_ALLOWED_ORIGIN": "a,b"],
            file: [
                "allowed-origin": .init(values: ["c"], place: "f:1:1"), "x": .init(values: ["d", "e"], place: "f:2:1"),
            ])
        #expect(settings.list("allowed-origin", ["z"]) == ["z"])
        #expect(settings.list("allowed-origin", []) == ["a", "b"])
        #expect(settings.list("x", []) == ["d", "e"])
        #expect(settings.list("y", []) == [])
    }

    @Test(
        "a duration is in seconds or has a unit",
        arguments: [("90", 90), ("90s", 90), ("30m", 1800), ("5h", 18_000), ("7d", 604_800)])
    func durations(text: String, seconds: Int) throws {
        #expect(try Settings(environment: [:]).duration("t", text, default: 1) == seconds)
    }

    @Test(
        "a duration that makes no sense is refused", arguments: ["", "h", "-1", "0", "5x", "1.5h", "99999999999999h"])
    func badDurations(text: String) {
        #expect(throws: StartupError.self) { try Settings(environment: [:]).duration("t", text, default: 1) }
    }

    @Test("every option of the server is a key of the file, and nothing else is")
    func names() {
        let help = ServeCommand.helpMessage(columns: 200)
        let options = Set(help.matches(of: /--([a-z-]+)/).map { String($0.1) })
        #expect(options.subtracting(["config", "version", "help"]) == ServeCommand.settings)
    }
}
