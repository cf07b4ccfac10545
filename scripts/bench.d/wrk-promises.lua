-- For wrk: creates promises and settles each, as fast as the connections let it. Prints one line of JSON.

local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init()
    run = os.time() .. "-" .. tostring(number)
    made, failed = 0, 0
    waiting = {}
    far = "4102444800000"
end

local head = '"head":{"corrId":"0","version":"2026-04-01"}'

function request()
    local body
    local id = table.remove(waiting)
    if id then
        body = '{"kind":"promise.settle",' .. head .. ',"data":{"id":"' .. id .. '","state":"resolved","value":{"data":"ImIi"}}}'
    else
        made = made + 1
        body = '{"kind":"promise.create",' .. head .. ',"data":{"id":"bench-' .. run .. '-' .. made .. '","timeoutAt":' .. far
            .. ',"param":{"data":"ImEi"}}}'
    end
    return wrk.format("POST", "/", {["Content-Type"] = "application/json"}, body)
end

function response(status, headers, body)
    if status ~= 200 then failed = failed + 1 end
    if body:find('"kind":"promise.create"', 1, true) then
        local id = body:match('"id":"(bench[^"]+)"')
        if id then waiting[#waiting + 1] = id end
    end
end

function done(summary, latency, requests)
    local failures = 0
    for _, thread in ipairs(threads) do failures = failures + thread:get("failed") end
    local errors = summary.errors
    io.write(string.format(
        '{"operations":%d,"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"failures":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        failures + errors.connect + errors.read + errors.write + errors.timeout))
end
