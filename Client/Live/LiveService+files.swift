import RolecallProtocol

/// The files that commands write.
extension LiveService {
    func export(_ events: [ModelEvent], to path: String, replacing: Bool) async -> Outcome {
        do {
            let destination = expanded(path)
            // What is replaced stays until its successor is whole.
            let written =
                replacing ? "\(destination).\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp" : destination
            let file = try await EventFile.create(written, replacing: false)
            do {
                // In pieces, so that a large list is not held in memory twice.
                for start in stride(from: 0, to: events.count, by: 500) {
                    var bytes: [UInt8] = []
                    for event in events[start..<min(start + 500, events.count)] {
                        bytes += OutputLine.event(event).jsonBytes + [UInt8(ascii: "\n")]
                    }
                    try await file.append(bytes)
                }
                if replacing { try await file.move(to: destination) }
            } catch {
                file.remove()
                throw error
            }
            return .exported(path: path, count: events.count)
        } catch {
            return .failed(command: "/export", reason: "\(error)")
        }
    }

    func record(
        to path: String, opening: [OutputLine], replacing: Bool
    ) async -> Swift.Result<EventFile, FileFault> {
        do {
            let file = try await EventFile.create(expanded(path), replacing: replacing)
            for line in opening { try await file.append(line.jsonBytes + [UInt8(ascii: "\n")]) }
            return .success(file)
        } catch {
            return .failure(error as? FileFault ?? FileFault("\(error)"))
        }
    }

    private func expanded(_ path: String) -> String {
        EventFile.expanded(path, home: application.configuration.home)
    }
}
