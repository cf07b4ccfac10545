public import KubernetesClient

/// The custom resource by which somebody agrees that a Migration's old side is taken away: who may create one, RBAC says.
///
/// It is for one plan: a Migration whose changes are other ones by then asks anew.
public struct MigrationApproval: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(
        group: SluiceName.group, version: "v1alpha1", plural: "migrationapprovals", kind: "MigrationApproval")

    public var metadata: ObjectMeta
    public var spec: Spec

    public struct Spec: Codable, Hashable, Sendable {
        /// The Migration's name, in the same namespace.
        public var migration: String
        /// As `status.planHash` of the Migration says it.
        public var planHash: String
    }

    func approves(_ planHash: String, of migration: String) -> Bool {
        spec.migration == migration && spec.planHash == planHash && !metadata.isBeingDeleted
    }
}
