-- A form with a device of its own for every request; see script/bench.
local number = 0
local salt = os.time()
local key = os.getenv("COUNTERSIGN_BENCH_KEY")
local thread_number = 0

function setup(thread)
  thread:set("mine", thread_number)
  thread_number = thread_number + 1
end

function request()
  number = number + 1
  local body = string.format("key=%s&device_id=bench-%d-%d-%d&device_name=bench&request_id=bench%dx%dx%012d", key, salt, mine, number, salt, mine, number)
  return wrk.format("POST", "/activate", { ["Content-Type"] = "application/x-www-form-urlencoded", ["Sec-Fetch-Site"] = "same-origin" }, body)
end

function response(status)
  if status ~= 303 then
    refused = (refused or 0) + 1
    if refused < 4 then io.stderr:write("status " .. status .. "\n") end
  end
end
