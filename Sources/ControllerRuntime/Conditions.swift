public import Foundation
public import KubernetesClient

extension [Condition] {
    public subscript(type: String) -> Condition? {
        first { $0.type == type }
    }

    /// Sets a condition. Its transition time moves only when its status changes, so that a repetition changes nothing.
    public mutating func set(
        _ type: String, _ status: Condition.Status, reason: String, message: String = "", observedGeneration: Int64?,
        at now: Date
    ) {
        var condition = Condition(
            type: type, status: status, reason: reason, message: message, lastTransitionTime: Timestamp(now),
            observedGeneration: observedGeneration)
        guard let index = firstIndex(where: { $0.type == type }) else {
            append(condition)
            return
        }
        if self[index].status == status, let time = self[index].lastTransitionTime {
            condition.lastTransitionTime = time
        }
        self[index] = condition
    }
}
