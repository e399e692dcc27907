-- License checks of a thousand machines in turn, as an app makes them; see script/bench.
local headers = { ["Date"] = os.getenv("COUNTERSIGN_BENCH_DATE"), ["Authorization"] = os.getenv("COUNTERSIGN_BENCH_AUTHORIZATION") }
local requests = {}
local number = 0

function init()
  local prefix = os.getenv("COUNTERSIGN_BENCH_PATH")
  for machine = 1, tonumber(os.getenv("COUNTERSIGN_BENCH_MACHINES")) do
    requests[machine] = wrk.format("GET", prefix .. machine, headers)
  end
end

function request()
  number = number % #requests + 1
  return requests[number]
end

function response(status)
  if status ~= 200 then
    refused = (refused or 0) + 1
    if refused < 4 then io.stderr:write("status " .. status .. "\n") end
  end
end
