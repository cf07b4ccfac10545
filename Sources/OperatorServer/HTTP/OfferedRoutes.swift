internal import Hummingbird
internal import KubernetesClient
internal import MigrationOperator
internal import Prometheus

/// Which path is answered by whom.
struct OfferedRoutes: Sendable {
    let state: OperatorState
    let pulse: LoopPulse
    let registry: MetricsRegistry
    let gates: GateDesk
    let webhook: Webhook?

    func responder(of offers: OperatorServerSettings.Offers) -> Listener.Responder {
        let router = Listener.Routes()
        if offers.contains(.probes) { addProbes(to: router) }
        if offers.contains(.metrics) { addMetrics(to: router) }
        if offers.contains(.gates) { addGates(to: router) }
        return router.buildResponder()
    }

    var webhookResponder: Listener.Responder {
        let router = Listener.Routes()
        let webhook = webhook
        let desk = AdmissionDesk { webhook?.account }
        router.post("/mutate") { request, _ in await desk.answer(request) }
        return router.buildResponder()
    }

    private func addProbes(to router: Listener.Routes) {
        router.get("/healthz") { _, _ in
            (state.problem ?? pulse.problem).map { Response(text: $0, status: .serviceUnavailable) }
                ?? Response(text: "ok")
        }
        router.get("/readyz") { _, _ in
            guard state.isReady else {
                return Response(text: "the first lists are not there yet", status: .serviceUnavailable)
            }
            guard webhook?.isServing ?? true else {
                return Response(text: "the webhook has no certificate yet", status: .serviceUnavailable)
            }
            return Response(text: "ok")
        }
    }

    private func addMetrics(to router: Listener.Routes) {
        router.get("/metrics") { _, _ in
            Response(await registry.text(), type: MetricsRegistry.contentType)
        }
    }

    private func addGates(to router: Listener.Routes) {
        router.get("/gates/:namespace/:name") { _, context in
            let key = ObjectKey(
                try context.parameters.require("name"), in: try context.parameters.require("namespace"))
            return await gates.answer(key)
        }
    }
}
