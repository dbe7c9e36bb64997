import Terminal

/// The right end of the top line, where there is room: how many events came lately, and the time.
enum ClockView {
    private static let levels = Array("▁▂▃▄▅▆▇█")
    private static let plainLevels = Array("_.:-=+*#")

    /// - Parameter room: what is free of the line, in columns.
    static func text(_ state: ScreenState, room: Int) -> StyledText? {
        let clock =
            state.timeMode == .utc
            ? "\(TimeMode.utc.text(state.now.wall, after: nil, now: state.now.wall, width: 5))Z"
            : Words.clock(state.now.wall)
        let rate = self.rate(state)
        for text in ["\(rate)\(clock)", clock] where DisplayWidth.of(text) + 3 <= room {
            return StyledText("\(text) ", Theme.faint)
        }
        return nil
    }

    /// `▁▁▂▁▅▂▁▃ 4.2/s  `; empty where nothing came lately.
    private static func rate(_ state: ScreenState) -> String {
        let counts = state.meter.counts(at: state.now.uptime)
        guard let most = counts.max(), most > 0 else { return "" }
        let levels = state.isUnicode ? levels : plainLevels
        let line = counts.map { count -> Character in
            let level = count == 0 ? 0 : max(1, count * (levels.count - 1) / most)
            return levels[min(level, levels.count - 1)]
        }
        let tenths = state.meter.tenths(at: state.now.uptime)
        let figure = tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : Words.number(tenths / 10)
        return "\(String(line)) \(figure)/s  "
    }
}
