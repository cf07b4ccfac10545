import ControllerRuntime
import Foundation
import KubernetesClient
import Testing

@Suite("Conditions")
struct ConditionTests {
    @Test("the transition time moves with the status only, and setting the same again changes nothing")
    func transition() {
        let first = Date(timeIntervalSince1970: 1000)
        var conditions: [Condition] = []
        conditions.set("Ready", .no, reason: "Filling", message: "1 row", observedGeneration: 1, at: first)
        let once = conditions
        conditions.set(
            "Ready", .no, reason: "Filling", message: "1 row", observedGeneration: 1, at: first.addingTimeInterval(9))
        #expect(conditions == once)
        conditions.set(
            "Ready", .no, reason: "Filling", message: "2 rows", observedGeneration: 2, at: first.addingTimeInterval(9))
        #expect(conditions["Ready"]?.lastTransitionTime == Timestamp(first))
        #expect(conditions["Ready"]?.observedGeneration == 2)
        conditions.set("Ready", .yes, reason: "Open", observedGeneration: 2, at: first.addingTimeInterval(10))
        #expect(conditions["Ready"]?.lastTransitionTime == Timestamp(first.addingTimeInterval(10)))
        #expect(conditions.count == 1)
    }
}
