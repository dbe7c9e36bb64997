import Foundation

/// How many cases the properties are tried on: for visibility, one event judged for one view within a random history
/// under a random policy. `ROLECALL_PROPERTY_CASES` sets another number.
let propertyCases =
    ProcessInfo.processInfo.environment["ROLECALL_PROPERTY_CASES"].flatMap { Int($0) }.map { max(1, $0) } ?? 100_000
