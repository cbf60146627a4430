-- Creates, reads, updates and deletes each resource in turn, so that at any time resources are at every stage.
-- A line of the file is type <tab> body; @Patient@ in it is the id of the Patient created last.
local templates, newest, due, turn = {}, {}, {}, 0
local headers = { ["Content-Type"] = "application/fhir+json" }
local threads = {}
wrong = 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  for line in io.lines(args[1]) do
    local type, body = line:match("^(%u%a+)\t(.*)$")
    templates[#templates + 1] = { type = type, body = body }
    templates[type] = body
  end
end

local function linked(body)
  return (body:gsub("@(%u%a+)@", function(type) return newest[type] or "none" end))
end

local function create()
  turn = turn % #templates + 1
  local one = templates[turn]
  return wrk.format("POST", "/fhir/" .. one.type, headers, linked(one.body))
end

local function update(type, id)
  local body = linked(templates[type]):gsub("{", '{"id":"' .. id .. '","language":"ja",', 1)
  return wrk.format("PUT", "/fhir/" .. type .. "/" .. id, headers, body)
end

function request()
  return #due > 0 and table.remove(due) or create()
end

-- What came back tells what was asked: version 1 was read, version 2 was written.
function response(status, received, body)
  if status == 201 then
    local type, id = received["location"]:match("/fhir/(%u%a+)/([^/]+)/_history/")
    newest[type] = id
    table.insert(due, 1, wrk.format("GET", "/fhir/" .. type .. "/" .. id))
  elseif status == 200 then
    local type, id = body:match('^{"resourceType":"(%u%a+)","id":"([^"]+)"')
    local read = received["etag"] == 'W/"1"'
    table.insert(due, 1, read and update(type, id) or wrk.format("DELETE", "/fhir/" .. type .. "/" .. id))
  elseif status ~= 204 then
    wrong = wrong + 1
  end
end

function done(summary, latency, _)
  local e, errors = summary.errors, 0
  for _, thread in ipairs(threads) do errors = errors + thread:get("wrong") end
  io.write(string.format('{"requests":%d,"seconds":%f,"p50":%f,"p95":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.timeout + errors))
end
