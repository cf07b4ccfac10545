// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A library target in `Sources/` with the settings that every target shares.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target in `Tests/`, one for each library, with the servers and waits of `TestSupport`.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
        swiftSettings: strict
    )
}

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "sluice", targets: ["sluice"]),
        // Durable functions for other programs, and what they are given: see docs/durable-execution.md.
        .library(name: "DurableExecution", targets: ["DurableExecution"]),
        .library(name: "DurablePromises", targets: ["DurablePromises"]),
        .library(name: "PostgreSQL", targets: ["PostgreSQL"]),
        .library(name: "RemotePromises", targets: ["RemotePromises"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // What knows neither Kubernetes nor migrations.
        library("EventLoop", ["CCurl", .product(name: "HeapModule", package: "swift-collections")]),
        library("HTTPClient", ["CCurl", "EventLoop"]),
        library("JSON"),
        library("YAML", ["CYAML"]),
        library("Prometheus"),
        library("PostgreSQL", ["CPostgres", "EventLoop", logging]),

        // What knows Kubernetes, but no migrations.
        library(
            "KubernetesClient",
            [
                "HTTPClient", "JSON", "Prometheus", "YAML", logging,
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        library(
            "ControllerRuntime",
            [
                "CMalloc", "KubernetesClient", "Prometheus", logging,
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]
        ),

        // What knows migrations, but no Kubernetes.
        library("DurablePromises", ["JSON", "PostgreSQL", logging]),
        library("RemotePromises", ["DurablePromises", "HTTPClient", logging]),
        library("DurableExecution", ["DurablePromises", logging]),
        library(
            "PromiseServer",
            [
                "DurablePromises", "HTTPClient", "PostgreSQL", "Prometheus", logging,
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        library("SchemaChange", [.product(name: "Crypto", package: "swift-crypto")]),
        library(
            "Backfill",
            ["SchemaChange", "PostgreSQL", logging, .product(name: "DequeModule", package: "swift-collections")]
        ),
        library(
            "MigrationEngine",
            ["SchemaChange", "Backfill", "DurableExecution", "DurablePromises", "PostgreSQL", logging]
        ),

        library("MigrationImport", ["MigrationEngine", "SchemaChange", "YAML"]),

        // Where they meet.
        .target(
            name: "MigrationOperator",
            dependencies: [
                "MigrationEngine", "Backfill", "SchemaChange", "ControllerRuntime", "KubernetesClient", "PostgreSQL",
                "Prometheus", "YAML", logging,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            // Links to the files in manifests/, so that the program carries them and there is one copy of each.
            resources: ["crd", "approvals", "rbac", "webhook"].map { .embedInCode("Embedded/\($0).yaml") },
            swiftSettings: strict
        ),
        library(
            "OperatorServer",
            [
                "ControllerRuntime", "EventLoop", "KubernetesClient", "MigrationOperator", "Prometheus", "SchemaChange",
                logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ]
        ),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Backfill", "DurablePromises", "KubernetesClient", "MigrationEngine", "MigrationImport",
                "MigrationOperator", "OperatorServer", "PostgreSQL", "Prometheus", "PromiseServer", "RemotePromises",
                "SchemaChange", "YAML",
                logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // What the measurements are made with.
        .executableTarget(
            name: "promise-load",
            dependencies: [
                "DurableExecution", "DurablePromises", "PostgreSQL", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/promise-load",
            swiftSettings: strict
        ),

        .target(
            name: "TestSupport",
            dependencies: ["HTTPClient", "KubernetesClient", "PostgreSQL", "YAML", logging],
            path: "Tests/Support",
            swiftSettings: strict
        ),
        // Durable functions for workers that are killed, and such a worker.
        .target(
            name: "Journeys",
            dependencies: ["DurableExecution", "DurablePromises"],
            path: "Tests/Journeys",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "journey-worker",
            dependencies: ["DurableExecution", "Journeys", "RemotePromises", logging],
            path: "Tests/JourneyWorker",
            swiftSettings: strict
        ),
        .testTarget(name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "DurableExecution", "DurablePromises", "Journeys", "KubernetesClient", "MigrationOperator",
                "RemotePromises", "SchemaChange", "TestSupport", "journey-worker", logging,
            ],
            path: "Tests/Integration",
            swiftSettings: strict
        ),
        // The chart, the admission policies, the examples: what is no Swift.
        .testTarget(
            name: "ManifestTests",
            dependencies: ["KubernetesClient", "MigrationOperator", "TestSupport", "YAML"],
            path: "Tests/Manifests",
            swiftSettings: strict
        ),
        tests("EventLoop"),
        tests("HTTPClient"),
        tests("YAML"),
        tests("Prometheus"),
        tests("KubernetesClient", ["HTTPClient", "Prometheus"]),
        tests("ControllerRuntime", ["KubernetesClient", "Prometheus", logging]),
        tests("PostgreSQL"),
        tests("DurablePromises", ["JSON", "PostgreSQL", "RemotePromises", logging]),
        tests("RemotePromises", ["DurablePromises", "HTTPClient", logging]),
        tests("DurableExecution", ["DurablePromises", "PostgreSQL", "PromiseServer", "RemotePromises", logging]),
        tests(
            "PromiseServer",
            [
                "DurablePromises", "PostgreSQL", "Prometheus", logging,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ]
        ),
        tests("SchemaChange"),
        tests("Backfill"),
        tests("MigrationEngine", ["Backfill", "DurablePromises", "PostgreSQL", "SchemaChange", logging]),
        tests("MigrationImport", ["MigrationEngine", "SchemaChange", "YAML"]),
        tests("MigrationOperator", ["Backfill", "ControllerRuntime", "KubernetesClient"]),
        tests(
            "OperatorServer",
            [
                "ControllerRuntime", "HTTPClient", "KubernetesClient", "MigrationOperator", "Prometheus", logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ]
        ),
    ]
)
