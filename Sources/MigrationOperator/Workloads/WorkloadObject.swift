public import KubernetesClient

/// The fields that workloads of all kinds have, each kind some of them.
public struct WorkloadObject: KubernetesMetadata, Hashable {
    public var metadata: ObjectMeta
    public var spec: Spec
    /// As the kind's own controller wrote it.
    public var status: JSONValue?

    public struct Spec: Decodable, Hashable, Sendable {
        /// Of pods. A Rollout may take its template from elsewhere (`workloadRef`) and have none.
        public var template: PodTemplate?
        /// Of Jobs, in a CronJob.
        public var jobTemplate: JobTemplate?
        public var replicas: Int?
        public var selector: LabelSelector?
        /// Of a Deployment or Rollout.
        public var paused: Bool?
        /// Of a CronJob or Job.
        public var suspend: Bool?
        /// Of a StatefulSet or DaemonSet.
        public var updateStrategy: UpdateStrategy?

        /// What pods are made from, wherever it stands.
        public var podTemplate: PodTemplate { template ?? jobTemplate?.spec.template ?? PodTemplate() }
    }

    public struct JobTemplate: Decodable, Hashable, Sendable {
        public var spec: Spec

        public struct Spec: Decodable, Hashable, Sendable {
            public var template: PodTemplate
        }
    }

    public struct UpdateStrategy: Decodable, Hashable, Sendable {
        /// `RollingUpdate`, unless it is `OnDelete`.
        public var type: String?
        public var rollingUpdate: RollingUpdate?

        public struct RollingUpdate: Decodable, Hashable, Sendable {
            /// Pods of a StatefulSet with a lower ordinal are left as they are.
            public var partition: Int?
        }
    }
}
