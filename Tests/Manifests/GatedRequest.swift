import KubernetesClient
import MigrationOperator

/// A write of a workload, as the API server shows it to who admits it.
struct GatedRequest: Sendable, CustomStringConvertible {
    static let kinds = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Rollout"]
    static let operatorAccount = "system:serviceaccount:sluice-system:sluice"

    /// Who says in a manifest what the held field is to be.
    enum Declared: Sendable, CaseIterable {
        case nobody, byServerSideApply, byKubectl, byTheGate
    }

    var kind: String
    var isUpdate: Bool
    var requires: String? = "split, balance@Expand"
    var bypass: String?
    var isChanged = false
    var isPaused: Bool?
    var isMarked = false
    var declared = Declared.nobody
    var wasPaused: Bool?
    var wasMarked = false
    var wasDeclared = Declared.nobody
    /// Of a StatefulSet that is not paused.
    var partition: Int64 = 0
    /// Whether it says what was before a hold.
    var isNoted = false
    var isOwned = false
    /// Made of a CronJob by hand.
    var isManual = false
    var isBeingDeleted = false
    var manager = "kubectl"
    var user = "someone"
    /// What `sluice.dev/gate` says, and is to say where that is another thing.
    var stamp: String?
    var newStamp: String??

    var isByOperator: Bool { user == Self.operatorAccount }

    /// Set where a patch was applied to it.
    private var stored: JSONValue?

    init(
        kind: String, isUpdate: Bool, isChanged: Bool = false, isPaused: Bool? = nil, wasPaused: Bool? = nil
    ) {
        self.kind = kind
        self.isUpdate = isUpdate
        self.isChanged = isChanged
        self.isPaused = isPaused
        self.wasPaused = wasPaused
    }

    /// Every combination that differs in one or two things from the plain ones, of each kind.
    static var all: [GatedRequest] {
        let changes: [(inout GatedRequest) -> Void] = [
            { $0.requires = nil }, { $0.requires = " , " }, { $0.requires = "split@Nonsense" }, { $0.bypass = "" },
            { $0.bypass = "incident 12" }, { $0.isPaused = true }, { $0.isPaused = false }, { $0.isMarked = true },
            { $0.wasPaused = true }, { $0.wasMarked = true }, { $0.isOwned = true },
            {
                $0.isOwned = true; $0.isManual = true
            },
            { $0.stamp = "open" }, { $0.stamp = "closed" },
            {
                $0.stamp = "open"; $0.wasPaused = true
            },
            { $0.isBeingDeleted = true },
            { $0.declared = .byServerSideApply }, { $0.declared = .byKubectl }, { $0.declared = .byTheGate },
            { $0.partition = 1 }, { $0.isNoted = true }, { $0.manager = "sluice-hold" },
            { $0.wasDeclared = .byServerSideApply }, { $0.wasDeclared = .byKubectl },
            {
                $0.manager = "sluice-hold"; $0.user = operatorAccount
            },
            {
                $0.manager = "sluice-stamp"; $0.user = operatorAccount
            },
            {
                $0.isPaused = true; $0.isMarked = true; $0.wasPaused = true; $0.wasMarked = true
            },
            {
                $0.isPaused = false; $0.isMarked = true; $0.wasPaused = true; $0.wasMarked = true
            },
        ]
        var requests: [GatedRequest] = []
        for kind in kinds {
            for (isUpdate, isChanged) in [(false, false), (true, false), (true, true)] {
                let plain = GatedRequest(kind: kind, isUpdate: isUpdate, isChanged: isChanged)
                requests.append(plain)
                for (index, first) in changes.enumerated() {
                    for second in changes[index...] {
                        var request = plain
                        first(&request)
                        second(&request)
                        requests.append(request)
                    }
                }
            }
        }
        return requests
    }

    // MARK: As it is asked about

    var object: JSONValue {
        stored
            ?? workload(
                image: isChanged ? "api:2" : "api:1", paused: isPaused, marked: isMarked, declared: declared,
                stamp: newStamp ?? (isUpdate ? stamp : nil))
    }

    var oldObject: JSONValue? {
        guard isUpdate else { return nil }
        return workload(image: "api:1", paused: wasPaused, marked: wasMarked, declared: wasDeclared, stamp: stamp)
    }

    private var group: String { kind == "Rollout" ? "argoproj.io" : kind.hasSuffix("Job") ? "batch" : "apps" }

    var admission: AdmissionRequest {
        AdmissionRequest(
            operation: isUpdate ? .update : .create, group: group, kind: kind, fieldManager: manager, username: user,
            object: object, oldObject: oldObject)
    }

    func review(params: JSONValue) -> JSONValue {
        [
            "request": [
                "operation": isUpdate ? "UPDATE" : "CREATE", "kind": ["group": .string(group), "kind": .string(kind)],
                "options": ["fieldManager": .string(manager)], "userInfo": ["username": .string(user)],
            ],
            "object": object, "oldObject": oldObject ?? .null, "params": params,
        ]
    }

    var description: String {
        "\(isUpdate ? "update" : "create") by \(manager) of \(kind): \(object.text), which was \(oldObject?.text ?? "-")"
    }

    /// With the additions and removals of a JSON Patch.
    func patched(by patch: [JSONValue]) -> GatedRequest {
        var request = self
        var object = object
        for operation in patch {
            let path = (operation["path"]?.string ?? "").split(separator: "/")
                .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
            object = Self.setting(operation["value"], at: path[...], of: object)
        }
        request.stored = object
        return request
    }

    private static func setting(_ value: JSONValue?, at path: ArraySlice<String>, of object: JSONValue) -> JSONValue {
        guard let name = path.first, case .object(var members) = object else { return value ?? .null }
        if path.count == 1 {
            members[name] = value
        } else {
            members[name] = setting(value, at: path.dropFirst(), of: members[name] ?? [:])
        }
        return .object(members)
    }

    // MARK: The workload

    private func workload(image: String, paused: Bool?, marked: Bool, declared: Declared, stamp: String?) -> JSONValue {
        var metadata: JSONValue = ["name": "api"]
        var annotations: JSONValue = [:]
        if marked { annotations["sluice.dev/held"] = "waits for split" }
        if isNoted { annotations["sluice.dev/held-from"] = "1" }
        if isManual { annotations["cronjob.kubernetes.io/instantiate"] = "manual" }
        annotations["sluice.dev/gate"] = stamp.map { .string($0) }
        if declared == .byKubectl {
            annotations["kubectl.kubernetes.io/last-applied-configuration"] = .string(
                JSONValue.object(["spec": held(paused ?? true)]).text + "\n")
        }
        if annotations != [:] { metadata["annotations"] = annotations }
        if declared == .byServerSideApply || declared == .byTheGate {
            metadata["managedFields"] = [
                [
                    "manager": declared == .byTheGate ? "sluice-hold" : "argocd", "operation": "Apply",
                    "fieldsV1": ["f:spec": fields],
                ], ["manager": "kubectl", "operation": "Update", "fieldsV1": ["f:spec": fields]],
            ]
        }
        if isOwned {
            metadata["ownerReferences"] = [
                ["apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u", "controller": true]
            ]
        }
        if isBeingDeleted { metadata["deletionTimestamp"] = "2026-11-27T12:00:00Z" }
        var spec: JSONValue = paused.map { held($0) } ?? [:]
        if kind == "StatefulSet" { spec["replicas"] = 3 }
        var template: JSONValue = ["spec": ["containers": [["name": "api", "image": .string(image)]]]]
        var ofTemplate: JSONValue = [:]
        ofTemplate["sluice.dev/requires"] = requires.map { .string($0) }
        ofTemplate["sluice.dev/bypass"] = bypass.map { .string($0) }
        if ofTemplate != [:] { template["metadata"] = ["annotations": ofTemplate] }
        if kind == "CronJob" {
            spec["jobTemplate"] = ["spec": ["template": template]]
        } else {
            spec["template"] = template
        }
        return ["metadata": metadata, "spec": spec]
    }

    private func held(_ paused: Bool) -> JSONValue {
        switch kind {
        case "Deployment", "Rollout": ["paused": .bool(paused)]
        case "CronJob", "Job": ["suspend": .bool(paused)]
        case "DaemonSet": ["updateStrategy": ["type": paused ? "OnDelete" : "RollingUpdate"]]
        default:
            ["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": .int(paused ? 5 : partition)]]]
        }
    }

    private var fields: JSONValue {
        switch kind {
        case "Deployment", "Rollout": ["f:paused": [:]]
        case "CronJob", "Job": ["f:suspend": [:]]
        case "DaemonSet": ["f:updateStrategy": ["f:type": [:]]]
        default: ["f:updateStrategy": ["f:rollingUpdate": ["f:partition": [:]]]]
        }
    }
}
