-- LicenseSpring's activations, a machine of its own for every call; see script/bench.
local number = 0
local salt = os.time()
local headers = { ["Date"] = os.getenv("COUNTERSIGN_BENCH_DATE"), ["Authorization"] = os.getenv("COUNTERSIGN_BENCH_AUTHORIZATION"), ["Content-Type"] = "application/json" }
local key = os.getenv("COUNTERSIGN_BENCH_KEY")

function request()
  number = number + 1
  local body = string.format('{"product":"bench","license_key":"%s","hardware_id":"load-%d-%d","sdk_ver":"bench"}', key, salt, number)
  return wrk.format("POST", "/api/v4/activate_license", headers, body)
end

function response(status)
  if status ~= 200 then
    refused = (refused or 0) + 1
    if refused < 4 then io.stderr:write("status " .. status .. "\n") end
  end
end
