-- Sends lines of a file in random order. A line is METHOD <tab> path <tab> body; one of them is one request.
local requests = {}

function init(args)
  math.randomseed(20260401)
  local headers = { ["Content-Type"] = "application/fhir+json" }
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%u+)\t([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end

function request()
  return requests[math.random(#requests)]
end

-- Every answer above 399 is an error, and so is a request that got none.
function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"p50":%f,"p95":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
