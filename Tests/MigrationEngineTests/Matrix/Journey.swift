import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport

/// A round trip of the matrix on its way: which version is there when, and who is killed where.
struct Journey {
    private let database: EvolvingDatabase
    private let load: VersionLoad
    private let trip: MatrixTests.RoundTrip
    private let walker: Walker
    private var random: SplitMix

    init(_ database: EvolvingDatabase, _ load: VersionLoad, _ trip: MatrixTests.RoundTrip) {
        self.database = database
        self.load = load
        self.trip = trip
        walker = Walker(database: database, spec: EvolvingDatabase.spec(trip.scenario.changes))
        random = SplitMix(seed: trip.seed &+ 99)
    }

    private var scenario: Scenario { trip.scenario }

    mutating func make() async throws {
        let up = Phase.allCases.filter { $0 == trip.target || ($0 >= .dualWrite && $0 < trip.target) }
        let down = trip.target == .contract ? [Phase.backfill, .initial] : [.initial]
        try await arrive(.initial)
        let killedUp = Int.random(in: up.indices, using: &random)
        for (index, phase) in up.enumerated() {
            try await go(to: phase, killing: index == killedUp ? trip.up : .none)
            if let script = scenario.meanwhile[phase] { try await database.sql(script) }
        }
        let killedDown = Int.random(in: down.indices, using: &random)
        for (index, phase) in down.enumerated() {
            try await go(to: phase, killing: index == killedDown ? trip.down : .none)
        }
    }

    // MARK: Who is there

    private var place = Phase.initial

    /// Whoever may be at both ends of a way stays on it.
    private mutating func go(to phase: Phase, killing kill: Kill) async throws {
        let way = min(place, phase)...max(place, phase)
        try await load.allow(
            Set(
                ApplicationVersion.allCases.filter { version in
                    let phases = scenario.version(version).phases
                    return phases.contains(way.lowerBound) && phases.contains(way.upperBound)
                }), reads: readers(way))
        try await walker.walk(to: phase, from: place, killing: kill, &random)
        try await arrive(phase)
    }

    /// What the new version reads of what the old one wrote is right once it is proven.
    private func readers(_ way: ClosedRange<Phase>) -> Set<ApplicationVersion> {
        way.lowerBound >= .backfill ? [.old, .new] : [.old]
    }

    private mutating func arrive(_ phase: Phase) async throws {
        place = phase
        let present = ApplicationVersion.allCases.filter { scenario.version($0).phases.contains(phase) }
        let readers = readers(phase...phase)
        try await load.allow(Set(present), reads: readers)
        try await load.writes(8)
        for version in present where readers.contains(version) {
            let flaws = try await withConnection(database.url) { try await $0.query(scenario.flaws(of: version)) }.rows
            guard flaws.isEmpty else {
                throw TestFailure("at \(phase.rawValue) the \(version) version reads \(VersionLoad.text(flaws))")
            }
        }
    }
}
