package store

// rateScript decides on all limits of KEYS at once, by Redis' own clock: if one denies, nothing is taken from any. A key is written only
// together with the time at which it is of no use any more.
//
// ARGV has seven values for each key: the algorithm, the units wanted, the policy's count, its period in microseconds (0: a month) and its
// burst, whether it is dry (it denies nobody), and whether it is booked (it was granted already and is taken whatever there is).
// The reply has seven integers for each: allowed, remaining, reset and wait in microseconds, and window, previous and current
// of a Standing.
//
// A bucket is kept as the time at which it will be full, and the time that a unit costs: where that has changed since, the units stay. What is
// given back after it was forgotten makes no bucket fuller than full.
//
// Times in microseconds are whole in a double; what is finer than a quarter of one is lost.
const rateScript = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function month()
  local days = math.floor(now / 86400000000)
  -- days to a date, by eras of 400 years that begin on 1 March
  local function date(z)
    z = z + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local m = mp < 10 and mp + 3 or mp - 9
    return yoe + era * 400 + (m <= 2 and 1 or 0), m, doy - math.floor((153 * mp + 2) / 5) + 1
  end
  local y, m, d = date(days)
  local _, _, over = date(days - d + 32)
  local length = 32 - over
  local elapsed = now - (days - d + 1) * 86400000000
  return y * 12 + m - 1, elapsed, length * 86400000000 - elapsed
end

local function read(key, number)
  local w, p, c = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')
  w, p, c = tonumber(w), tonumber(p) or 0, tonumber(c) or 0
  if w == number then return p, c end
  if w == number - 1 then return c, 0 end
  return 0, 0
end

local function gcra(key, n, count, per, burst)
  local interval, tolerance = per / count, burst * (per / count)
  local tat, paid = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
  tat, paid = math.max(tonumber(tat) or 0, now), tonumber(paid) or interval
  tat = now + (tat - now) * (interval / paid)
  local wait = tat + n * interval - now - tolerance
  local function told(ahead) return math.max(math.floor((tolerance - ahead) / interval + 0.001), 0), ahead, wait, 0, 0, 0 end
  return wait <= 0.5, told, tat - now, tat - now + n * interval, function(ahead)
    redis.call('SET', key, string.format('%.3f %.17g', now + ahead, interval), 'PX', math.ceil(ahead / 1000) + 1000)
  end
end

local function quota(key, n, count, per)
  local number, elapsed, left
  if per == 0 then number, elapsed, left = month() else number, elapsed, left = math.floor(now / per), now % per, per - now % per end
  local _, current = read(key, number)
  local function told(c) return math.max(count - c, 0), left, left, number, 0, c end
  return current + n <= count, told, current, current + n, function(c)
    redis.call('SET', key, string.format('%d 0 %d', number, c), 'PX', math.ceil(left / 1000) + 1000)
  end
end

local function sliding(key, n, count, per)
  local number, left = math.floor(now / per), per - now % per
  local previous, current = read(key, number)
  local function used(c) return previous * (left / per) + c end
  local function reset(c)
    if c > 0 then return left + per end
    return previous > 0 and left or 0
  end
  local function wait()
    local room = count - current - n
    if n > count then return 2 * per end
    if room >= 0 then return left - per * math.min(room / math.max(previous, 1), 1) end
    return left + per - per * math.min((count - n) / current, 1)
  end
  local function told(c) return math.max(math.floor(count - used(c)), 0), reset(c), wait(), number, previous, c end
  return used(current) + n <= count, told, current, current + n, function(c)
    redis.call('SET', key, string.format('%d %d %d', number, previous, c), 'PX', math.ceil((left + per) / 1000) + 1000)
  end
end

local algorithms = { gcra = gcra, quota = quota, sliding_window = sliding }
local all, granted = {}, true
for i, key in ipairs(KEYS) do
  local a = (i - 1) * 7
  local one = { dry = ARGV[a + 6] == '1', booked = ARGV[a + 7] == '1' }
  one.ok, one.told, one.before, one.after, one.write = algorithms[ARGV[a + 1]](key, tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]))
  granted = granted and (one.ok or one.dry or one.booked)
  all[i] = one
end
local reply = {}
for _, one in ipairs(all) do
  local state = one.before
  if granted and (one.ok or one.booked) then
    state = math.max(one.after, 0)
    one.write(state)
  end
  local remaining, reset, wait, window, previous, current = one.told(state)
  for _, v in ipairs({ one.ok and 1 or 0, remaining, math.ceil(reset), one.ok and 0 or math.ceil(wait), window, previous, current }) do
    reply[#reply + 1] = v
  end
end
return reply
`
