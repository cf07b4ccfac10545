import ControllerRuntime
import KubernetesClient
import Testing

@testable import MigrationOperator

@Suite("Who waits for a Migration")
struct DependentsTests {
    private func key(_ name: String) -> ObjectKey { ObjectKey(name, in: "shop") }

    @Test("those that name it are known, as they come, change and go")
    func dependents() {
        let dependents = Dependents()
        let one = migration(#""dependsOn": ["a", "b"]"#, name: "one")
        let two = migration(#""dependsOn": ["a"]"#, name: "two")
        dependents.note(.added(one))
        dependents.note(.added(one))
        dependents.note(.added(two))
        #expect(dependents.of(key("a")) == [key("one"), key("two")])
        #expect(dependents.of(key("b")) == [key("one")])
        #expect(dependents.of(ObjectKey("a", in: "elsewhere")) == [])
        #expect(dependents.of(key("one")) == [])

        let changed = migration(#""dependsOn": ["c"]"#, name: "one")
        dependents.note(.updated(from: one, to: changed))
        #expect(dependents.of(key("a")) == [key("two")])
        #expect(dependents.of(key("b")) == [])
        #expect(dependents.of(key("c")) == [key("one")])

        dependents.note(.deleted(changed))
        #expect(dependents.of(key("c")) == [])
    }
}
