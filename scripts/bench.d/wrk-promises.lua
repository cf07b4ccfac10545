-- For wrk: creates promises and settles each, as fast as the connections let it. Prints one line of JSON.
--
-- A promise is settled some hundreds of requests after it was created. Should it not exist by then, its request fails and
-- is counted, and so is the measurement, as failed.

local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init()
    run = os.time() .. "-" .. tostring(number)
    asked = -1
    local head = '"head":{"corrId":"0","version":"2026-04-01"}'
    create = '{"kind":"promise.create",' .. head .. ',"data":{"id":"bench-' .. run .. '-%09d","timeoutAt":4102444800000,'
        .. '"param":{"data":"ImEi"}}}'
    settle = '{"kind":"promise.settle",' .. head .. ',"data":{"id":"bench-' .. run .. '-%09d","state":"resolved",'
        .. '"value":{"data":"ImIi"}}}'
    create, settle = http(create), http(settle)
end

-- A whole request, in which only the number is open.
function http(body)
    local bytes = #string.format(body, 0)
    return "POST / HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\nContent-Type: application/json\r\n"
        .. "Content-Length: " .. bytes .. "\r\n\r\n" .. body
end

local behind = 512

function request()
    asked = asked + 1
    -- wrk looks at the first one only, and sends the next.
    if asked == 0 then return string.format(create, 0) end
    local pair = math.floor((asked + 1) / 2)
    if asked % 2 == 0 and pair > behind then return string.format(settle, pair - behind) end
    return string.format(create, asked % 2 == 0 and 500000000 + pair or pair)
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"operations":%d,"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"failures":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
