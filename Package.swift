// swift-tools-version:6.2
import PackageDescription

/// Every target of this package: upcoming language features on, no warning tolerated.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "rolecall",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "rolecall-server", targets: ["RolecallServer"]),
        .executable(name: "rolecall", targets: ["RolecallClient"]),
        // Socket.IO for any Swift server and client; nothing of the two programs is in these.
        .library(name: "SocketIOServer", targets: ["SocketIOServer", "EngineIO", "WireJSON"]),
        .library(name: "SocketIOClient", targets: ["SocketIOClient", "EngineIO", "WireJSON"]),
        .library(name: "HummingbirdSocketIO", targets: ["HummingbirdSocketIO"]),
        .library(name: "SocketIO", targets: ["SocketIO", "WireJSON"]),
        .library(name: "EngineIO", targets: ["EngineIO", "WireJSON"]),
        .library(name: "WebSocketLink", targets: ["WebSocketLink"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The wire, from bytes to packets. None of these knows a word of Rolecall's domain.
        .target(name: "WireJSON", swiftSettings: strict),
        .target(name: "Base64Coding", swiftSettings: strict),
        .target(name: "EngineIO", dependencies: ["WireJSON", "Base64Coding", nioCore], swiftSettings: strict),
        .target(name: "SocketIO", dependencies: ["WireJSON", nioCore], swiftSettings: strict),
        .target(name: "WebSocketLink", dependencies: ["Base64Coding", nioCore, crypto], swiftSettings: strict),
        .target(
            name: "SocketIOServer",
            dependencies: [
                "WireJSON", "Base64Coding", "EngineIO", "SocketIO", "WebSocketLink", nioCore, nioHTTP1, crypto,
                logging, metrics,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SocketIOClient",
            dependencies: [
                "WireJSON", "EngineIO", "SocketIO", "WebSocketLink", nioCore, nioPosix, nioHTTP1, nioSSL, nioTLS,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "HummingbirdSocketIO",
            dependencies: [
                "SocketIOServer", nioCore, nioHTTP1, logging, hummingbirdCore,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            swiftSettings: strict
        ),

        // The domain: what both programs say, and what a model is.
        .target(name: "RolecallProtocol", dependencies: ["WireJSON"], swiftSettings: strict),
        .target(name: "ModelStore", dependencies: ["RolecallProtocol", "WireJSON"], swiftSettings: strict),
        .target(
            name: "RolecallConfiguration", dependencies: ["ModelStore", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "ModelStore", "RolecallProtocol", "WireJSON", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),

        // The domain, as the server's doors call it: no HTTP, no database.
        .target(
            name: "RolecallCore",
            dependencies: [
                "WireJSON", "Base64Coding", "EngineIO", "SocketIOServer", "RolecallProtocol", "ModelStore", nioCore,
                nioPosix, crypto, logging, metrics,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // The terminal: the only door to curses.
        .systemLibrary(name: "CNcurses", path: "Sources/CNcurses", providers: [.apt(["libncursesw5-dev"])]),
        .target(name: "CTerminalGuard"),
        .target(name: "Terminal", dependencies: ["Base64Coding", "CNcurses", "CTerminalGuard"], swiftSettings: strict),

        // The two programs.
        .executableTarget(
            name: "RolecallServer",
            dependencies: [
                "WireJSON", "Base64Coding", "EngineIO", "SocketIOServer", "HummingbirdSocketIO", "RolecallProtocol",
                "ModelStore", "RolecallConfiguration", "RolecallCore", "SQLiteStore",
                nioCore, nioPosix, nioHTTP1, logging, metrics, argumentParser,
                hummingbird,
                hummingbirdCore,
                hummingbirdTLS,
                nioSSL,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Server",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "RolecallClient",
            dependencies: [
                "WireJSON", "Base64Coding", "SocketIOClient", "RolecallProtocol", "Terminal", nioCore, nioPosix,
                nioHTTP1, nioSSL, logging, argumentParser,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            path: "Client",
            swiftSettings: strict
        ),

        // What another application of these modules looks like; the end-to-end tests run it.
        .executableTarget(
            name: "ChatExample",
            dependencies: ["HummingbirdSocketIO", "SocketIOServer", "WireJSON", hummingbird, nioPosix, logging],
            path: "Examples/Chat", swiftSettings: strict
        ),

        // Tests: one target a module, and whole processes.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "WireJSONTests", dependencies: ["WireJSON", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "Base64CodingTests", dependencies: ["Base64Coding", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "EngineIOTests", dependencies: ["EngineIO", "WireJSON", "TestSupport", nioCore], swiftSettings: strict
        ),
        .testTarget(
            name: "SocketIOTests", dependencies: ["SocketIO", "WireJSON", "TestSupport", nioCore], swiftSettings: strict
        ),
        .testTarget(
            name: "WebSocketLinkTests",
            dependencies: ["WebSocketLink", "TestSupport", nioCore, nioPosix, nioEmbedded],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SocketIOServerTests",
            dependencies: [
                "SocketIOServer", "WireJSON", "EngineIO", "SocketIO", "WebSocketLink", "TestSupport", nioCore, nioPosix,
                nioHTTP1, nioEmbedded, nioSSL, logging, metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SocketIOClientTests",
            dependencies: [
                "SocketIOClient", "SocketIOServer", "WireJSON", "EngineIO", "SocketIO", "WebSocketLink", "TestSupport",
                nioCore, nioPosix, nioHTTP1, nioEmbedded, nioSSL, logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "ProtocolFixture",
            dependencies: ["WireJSON", "EngineIO", "SocketIOServer", nioCore, nioPosix, nioHTTP1, logging],
            path: "Tests/ProtocolFixture", swiftSettings: strict
        ),
        .testTarget(
            name: "ConformanceTests", dependencies: ["ProtocolFixture", "ChatExample", "WireJSON", "TestSupport"],
            exclude: ["Support/stock.py"], swiftSettings: strict
        ),
        .testTarget(
            name: "RolecallProtocolTests", dependencies: ["RolecallProtocol", "WireJSON", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ModelStoreTests", dependencies: ["ModelStore", "RolecallProtocol", "WireJSON", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RolecallConfigurationTests", dependencies: ["RolecallConfiguration", "ModelStore", "TestSupport"],
            swiftSettings: strict
        ),
        .target(
            name: "MemoryStore", dependencies: ["ModelStore", "RolecallProtocol", "TestSupport"],
            path: "Tests/MemoryStore", swiftSettings: strict
        ),
        .testTarget(
            name: "StoreContractTests",
            dependencies: [
                "MemoryStore", "SQLiteStore", "ModelStore", "RolecallProtocol", "TestSupport", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: [
                "SQLiteStore", "ModelStore", "RolecallProtocol", "WireJSON", "TestSupport", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "TerminalProbe", dependencies: ["Terminal"], path: "Tests/TerminalProbe", swiftSettings: strict
        ),
        .testTarget(
            name: "TerminalTests",
            dependencies: ["Terminal", "TerminalProbe", "CNcurses", "CTerminalGuard", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RolecallCoreTests",
            dependencies: [
                "RolecallCore", "RolecallConfiguration", "SQLiteStore", "ModelStore", "RolecallProtocol",
                "SocketIOServer",
                "WireJSON", "TestSupport",
                nioCore, logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RolecallServerTests",
            dependencies: [
                "RolecallServer", "RolecallCore", "WireJSON", "SocketIOServer", "SocketIOClient", "RolecallProtocol",
                "ModelStore", "MemoryStore", "RolecallConfiguration", "TestSupport", nioCore, nioPosix, logging,
                metrics,
                argumentParser, .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RolecallClientTests",
            dependencies: [
                "RolecallClient", "WireJSON", "SocketIOClient", "RolecallProtocol", "Terminal", "CTerminalGuard",
                "TestSupport", nioCore,
                nioPosix, nioHTTP1, nioWebSocket, logging, argumentParser,
            ],
            exclude: ["Screens"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["RolecallServer", "RolecallClient", "SocketIOClient", "WireJSON", "TestSupport", nioCore],
            path: "Tests/EndToEnd", exclude: ["Support/peer.py", "Support/server.py"], swiftSettings: strict
        ),
        .testTarget(
            name: "ScreenTests", dependencies: ["RolecallServer", "RolecallClient", "TestSupport"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
