public import DurableExecution
internal import Foundation

/// What a journey is about. Its sum follows from this, whoever does it and however often.
public struct JourneyPlan: Codable, Sendable, Hashable {
    public var number: Int
    /// Where its legs are done, as `poll://any@group`.
    public var legs: String
    /// Where Python workers are, if there are any.
    public var python: String?

    public init(number: Int, legs: String, python: String? = nil) {
        self.number = number
        self.legs = legs
        self.python = python
    }
}

/// What came of a step: a number that follows from the plan, and a mark that is another one each time the step is done.
public struct Stamp: Codable, Sendable, Hashable {
    public var number: Int
    public var mark = UUID().uuidString

    public init(_ number: Int) {
        self.number = number
    }
}

/// What a journey, or a part of it, came to.
public struct JourneyLog: Codable, Sendable, Hashable {
    public var sum = 0
    /// The marks of its steps.
    public var marks: [String] = []
    /// The errors that it met.
    public var refusals: [String] = []

    public init() {}

    mutating func add(_ stamp: Stamp) {
        sum += stamp.number
        marks.append(stamp.mark)
    }

    mutating func add(_ other: JourneyLog) {
        sum += other.sum
        marks += other.marks
        refusals += other.refusals
    }
}

/// Durable functions with every kind of step, for workers that are killed.
public enum Journeys {
    public static let journey = DurableFunction<JourneyPlan, JourneyLog>("journey")
    public static let leg = DurableFunction<Int, JourneyLog>("leg")
    /// Gives an even number back, and refuses an odd one.
    public static let even = DurableFunction<Int, Int>("even")
    public static let triple = DurableFunction<Int, Int>("triple")

    /// The promise for which a journey waits until somebody outside resolves it with a number.
    public static func question(of journey: String) -> String { journey + ":6" }

    public static func functions() -> FunctionRegistry {
        var functions = FunctionRegistry()
        functions.register(even) { _, number in
            guard number.isMultiple(of: 2) else { throw DurableFailure(name: "Odd", message: "\(number) is odd") }
            return number
        }
        functions.register(triple) { context, number in
            try await context.run("triple") { 3 * number }
        }
        functions.register(leg) { context, number in
            var log = JourneyLog()
            log.add(try await context.run("walk") { Stamp(number + 1) })
            try await context.sleep(for: .milliseconds(20))
            return log
        }
        functions.register(journey) { context, plan in
            var log = JourneyLog()
            log.add(try await context.run("start") { Stamp(plan.number) })
            let legs = try (1...3).map { try context.begin(leg, plan.number * $0, target: plan.legs) }
            try await context.sleep(for: .milliseconds(50))
            log.sum += try await context.promise("how far", as: Int.self).value
            let views = try await context.map(1...2) { branch, part in
                try await branch.run("look") { Stamp(plan.number + part) }
            }
            for view in views { log.add(view) }
            for leg in legs { log.add(try await leg.value) }
            do {
                log.sum += try await context.rpc(even, plan.number, target: plan.legs)
            } catch let failure as DurableFailure {
                log.refusals.append(failure.message)
            }
            if let python = plan.python {
                log.sum += try await context.rpc("round_trip", plan.legs, plan.number, as: Int.self, target: python)
            }
            return log
        }
        return functions
    }
}
