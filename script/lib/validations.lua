-- Validations of machines for wrk, one after the other: COUNTERSIGN_BENCH_PATH and the number of a machine is what is called.
local path = os.getenv("COUNTERSIGN_BENCH_PATH")
local machines = tonumber(os.getenv("COUNTERSIGN_BENCH_MACHINES"))
local number = 0

function request()
  number = number % machines + 1
  return wrk.format("GET", path .. number)
end

-- Failures come with 200 as well.
function response(status, _, body)
  if status ~= 200 or string.find(body, "<error>", 1, true) then
    io.stderr:write("status " .. status .. " " .. body .. "\n")
    wrk.thread:stop()
  end
end
