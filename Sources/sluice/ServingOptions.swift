import ArgumentParser
import OperatorServer
import PromiseServer

/// What the operator serves without TLS, and where. Nothing, unless it is told to.
struct ServingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to serve /healthz and /readyz, such as :8081; else $SLUICE_HEALTH_PROBE_BIND_ADDRESS, else nowhere.",
            discussion: "Addresses that are the same are served together. 0 means nowhere.",
            valueName: "address"
        )
    )
    var healthProbeBindAddress: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to serve /metrics, such as :8080; else $SLUICE_METRICS_BIND_ADDRESS, else nowhere.",
            valueName: "address"
        )
    )
    var metricsBindAddress: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to serve /gates/NAMESPACE/NAME; else $SLUICE_GATES_BIND_ADDRESS, else nowhere.",
            valueName: "address"
        )
    )
    var gatesBindAddress: String?

    func settings() throws -> OperatorServerSettings {
        var settings = OperatorServerSettings()
        let given: [(OperatorServerSettings.Offers, String?, String)] = [
            (.probes, healthProbeBindAddress, "SLUICE_HEALTH_PROBE_BIND_ADDRESS"),
            (.metrics, metricsBindAddress, "SLUICE_METRICS_BIND_ADDRESS"),
            (.gates, gatesBindAddress, "SLUICE_GATES_BIND_ADDRESS"),
        ]
        for (offers, text, variable) in given {
            if let address = try Self.address(text, variable) { settings.serve(offers, at: address) }
        }
        return settings
    }

    /// Nil where nothing is to be served.
    static func address(_ given: String?, _ variable: String) throws -> OperatorServerSettings.Address? {
        guard let text = try EnvironmentSetting.value(given, variable), text != "0" else { return nil }
        guard let address = ListenAddress(text) else {
            throw ValidationError(
                "\"\(text.printable)\" is no address to serve at; write host:port, :port for all addresses, or 0 for none "
                    + "(\(variable) or its option)"
            )
        }
        return .init(host: address.host, port: address.port)
    }
}
