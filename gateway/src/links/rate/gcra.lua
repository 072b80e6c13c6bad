-- Counts one request of a client by the generic cell rate algorithm, with the clock of the server, so that the clocks of
-- the gateway's replicas do not matter. The key holds the time at which the quota will be fully restored.
--
-- KEYS[1]: the client. ARGV[1]: the window in microseconds. ARGV[2]: the number of requests in it.
-- Returns whether the request is allowed (1 or 0), how many more are, and how long to wait, in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[1])
local each = window / tonumber(ARGV[2])
local restored = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = restored + each
if next - now > window + 0.5 then
    return {0, 0, math.ceil(next - window - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return {1, math.floor((window - (next - now)) / each + 0.001), 0}
