-- Orders of a shop for wrk, each with a number of its own: COUNTERSIGN_BENCH_PATH is what is called.
local path = os.getenv("COUNTERSIGN_BENCH_PATH")
local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local run = tostring(os.time())
local number = 0

function request()
  number = number + 1
  return wrk.format("POST", path, headers, "OrderId=" .. run .. "-" .. number .. "&is_quantity=2&Customer_Email=it%40acme.example")
end

-- Failures come with 200 as well.
function response(status, _, body)
  if status ~= 200 or string.find(body, "<error>", 1, true) then
    io.stderr:write("status " .. status .. " " .. body .. "\n")
    wrk.thread:stop()
  end
end
