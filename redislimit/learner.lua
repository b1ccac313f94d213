-- One learner for all processes that share a call limit. It is the Learner of
-- internal/pace, in the words of Redis: docs/limits.md explains the idea.
--
-- KEYS[1]  what is known of the limit, a hash
-- KEYS[2]  the processes that asked lately, a sorted set
-- ARGV     now, process, want, waited, ceiling, per, rate, window, then four
--          for each observation: kind, first, last, count
--
-- Moments and times are microseconds, rates are calls a second. now is 0 for
-- the clock of Redis. rate and window are what the process knew when Redis had
-- forgotten all, 0 if nothing. It returns, as strings: now, gate,
-- rate, window, processes, granted, first, gap, probe, again, ahead,
-- measuring.

local FREE, OPEN, DOUBTFUL, CLOSED = 0, 1, 2, 3
local CUT, FIRST_STEP, SEARCH_STEP, FAR_STEP = 0.97, 0.02, 0.5, 0.2
local CALM_PRICE, MAX_CALM, BURST = 50, 15, 3
local MS, SEC = 1000, 1000000
local UNITS = { SEC, 60 * SEC, 3600 * SEC, 86400 * SEC }

local now = tonumber(ARGV[1])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * SEC + t[2]
end

-- The state.
local s = {
  gate = FREE, moved = 0, rate = 0, ceiling = 0, window = 0, tat = 0,
  opened = 0, passed = 0, measuring = 0, shut = 0, refused = 0, refusals = 0,
  due = 0, probing = 0, probed = 0, trip = 0, step = 0, before = 0, grown = 0,
  waited = 0, leased = 0, admitted = 0, slot = 0, this = 0, last = 0,
  since = 0, seen = 0,
}
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do s[known[i]] = tonumber(known[i + 1]) end
if s.since == 0 then s.since = s.opened end

-- The clock can go back, if a replica takes over or somebody sets it. All would
-- wait until it is as late again.
local back = s.seen - now
if back > 0 then
  for _, moment in ipairs({
    'moved', 'tat', 'opened', 'since', 'shut', 'refused', 'due', 'probed', 'grown',
  }) do
    if s[moment] > 0 then s[moment] = math.max(1, s[moment] - back) end
  end
end
s.seen = now

local function span() return math.max(s.window, 4 * s.trip) end
local function spacing() return math.min(math.max(SEC / s.rate, 20 * MS), 250 * MS) end
local function patience() return math.min(math.max(4 * s.trip, 250 * MS), 2 * SEC) end

local function unit(closed)
  for _, u in ipairs(UNITS) do if closed <= u then return u end end
  return UNITS[4]
end

local function search(closed)
  s.window, s.measuring, s.step = unit(closed / 3), 1, SEARCH_STEP
end

-- recent counts what passes in this second and the one before, while nothing is
-- known.
local function turn_slot()
  local slot = math.floor(now / SEC)
  if slot == s.slot then return end
  if slot == s.slot + 1 then s.last = s.this else s.last = 0 end
  s.slot, s.this = slot, 0
end

-- turn is when the gateway's window turned, for a call that passed then.
local function adjust(turn, closed)
  local cycle = turn - s.opened
  if s.opened == 0 then
    s.rate = math.max(1, s.passed)
    search(closed)
  elseif closed > 3 * span() then
    search(closed)
  elseif s.before > 0 and s.step > FAR_STEP then
    s.measuring = 1
  else
    if s.measuring == 1 or closed > (1 - CUT) * cycle then
      local measured = s.admitted / math.max(turn - s.since, span()) * SEC
      s.rate = math.min(s.rate, measured) * (1 + CUT) / 2
      s.measuring, s.refusals = 0, 1
    elseif s.before > 0 then
      s.rate = s.before
    else
      s.rate = s.rate * CUT
    end
    s.step = FIRST_STEP
  end
end

local function calm()
  if s.measuring == 1 then return 0 end
  local calls = s.rate * span() / SEC
  return math.min(CALM_PRICE * s.refusals / math.sqrt(calls), MAX_CALM) * span()
end

local function open(sent)
  s.tat = math.max(s.tat, now)
  s.gate, s.probing = OPEN, 0
  local closed, turn = s.refused - s.shut, (s.refused + sent) / 2
  if s.opened ~= 0 and (s.passed == 0 or closed <= 3 * span() and turn - s.opened < span() * 0.9) then
    s.grown, s.moved = now, now
    return
  end
  adjust(turn, closed)
  s.rate = math.max(s.rate, 0.5 / span() * SEC)
  if s.ceiling > 0 then s.rate = math.min(s.rate, s.ceiling) end
  s.opened, s.since, s.passed, s.before, s.waited = sent, sent, 0, 0, 0
  s.leased = math.max(0, (s.tat - sent) * s.rate / SEC)
  -- What was leased at the old rate is still under way, and part of the next
  -- window.
  s.moved = now
  if s.measuring == 0 and s.tat > now then s.moved = s.tat + span() end
  s.grown = math.max(now, s.tat) + calm()
end

local function passed(first, last, count)
  if s.gate == FREE then
    turn_slot()
    s.this = s.this + count
    return
  end
  s.passed = s.passed + 1
  if s.gate ~= OPEN and last >= s.moved then
    open(math.max(first, s.moved))
  elseif s.gate == OPEN and s.waited == 1 and last - s.grown >= (2 - s.measuring) * span() then
    s.before, s.rate = s.rate, s.rate * (1 + s.step)
    if s.ceiling > 0 then s.rate = math.min(s.rate, s.ceiling) end
    s.step, s.grown, s.waited = math.min(1, 2 * s.step), math.max(now, s.tat), 0
  end
  s.passed = s.passed + count - 1
end

local function schedule()
  local at = math.max(now + spacing(), s.shut + 2 * (now - s.shut))
  if now - s.shut < 3 * span() then at = math.min(at, now + span() / 2) end
  if s.opened ~= 0 then
    local turn = s.opened + (math.floor((s.shut - s.opened) / span()) + 1) * span() + 10 * MS
    if turn > now and turn < at then at = math.max(turn, now + 20 * MS) end
  end
  for _, u in ipairs(UNITS) do
    local ends = s.shut + u + 10 * MS
    if ends > now and ends < at + 20 * MS then at = math.max(ends, now + 20 * MS) end
  end
  s.due = at
end

local function close(sent)
  local sure = s.gate == OPEN and s.measuring == 0
  if s.gate == FREE then
    turn_slot()
    s.rate, s.window, s.measuring, s.passed = 1, SEC, 1, s.this + s.last
  end
  if sure then s.gate = DOUBTFUL else s.gate = CLOSED end
  s.moved, s.probing = now, 0
  s.shut, s.refused, s.refusals = sent, sent, 1
  -- What was leased for moments before that was admitted. Who used it may not
  -- have said so yet.
  s.admitted = math.max(0, s.leased - math.max(0, (s.tat - sent) * s.rate / SEC))
  s.due = now + spacing()
end

-- A call that was sent before the gate moved last shows nothing new.
local function refused(sent, asked)
  s.refusals, s.refused = s.refusals + 1, math.max(s.refused, sent)
  local trip = math.min(math.max(0, now - sent), 2 * SEC)
  if s.trip == 0 then s.trip = trip end
  s.trip = s.trip + (trip - s.trip) / 8
  if sent < s.moved then return end
  if s.gate == FREE or s.gate == OPEN then
    close(sent)
  elseif s.gate == DOUBTFUL then
    s.gate, s.probing = CLOSED, 0
    schedule()
  elseif s.probing == 1 and sent == s.probed then
    s.probing = 0
    schedule()
  end
  s.due = math.max(s.due, now + math.min(asked, 60 * SEC))
end

-- free lets the next call be the probe, if the one that was sent then is it.
local function free(sent)
  if s.probing == 0 or sent ~= s.probed then return false end
  s.probing = 0
  return true
end

-- What is declared, and what was known before Redis forgot.
local ceiling, per = tonumber(ARGV[5]), tonumber(ARGV[6])
local function start(rate, window)
  s.gate, s.rate, s.window = OPEN, rate, math.max(window, SEC)
  s.opened, s.since, s.grown, s.tat, s.step = now, now, now, now, FIRST_STEP
end
if s.gate == FREE and tonumber(ARGV[7]) > 0 then start(tonumber(ARGV[7]), tonumber(ARGV[8])) end
if ceiling > 0 and s.ceiling ~= ceiling then
  s.ceiling = ceiling
  if s.gate == FREE then start(ceiling, per) else s.rate = math.min(s.rate, ceiling) end
end

for i = 9, #ARGV, 4 do
  local kind, first = ARGV[i], math.min(now, tonumber(ARGV[i + 1]))
  local last, count = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  if kind == 'p' then
    passed(first, math.min(now, last), count)
  elseif kind == 'r' then
    refused(first, last)
  elseif kind == 'l' then
    if free(first) then s.due = now + spacing() end
  elseif kind == 'u' then
    if not free(first) and s.rate > 0 then 
      s.tat, s.leased = s.tat - count / s.rate * SEC, s.leased - count
    end
  end
end

-- Places.
if s.probing == 1 and now >= s.probed + patience() then open(s.probed) end
local want, granted, first, gap, probe, again = tonumber(ARGV[3]), 0, 0, 0, 0, 0
local ahead = math.min(0.6 * span(), 2 * SEC)
if ARGV[4] == '1' then s.waited = 1 end
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - math.max(2 * SEC, 3 * ahead))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '(' .. string.format('%.17g', now), '+inf')
local processes = redis.call('ZCARD', KEYS[2])
if want > 0 and s.gate == CLOSED then
  if s.probing == 1 then
    again = math.min(s.probed + patience(), now + math.max(s.trip * 1.5, 20 * MS))
  elseif now < s.due then
    again = s.due
  else
    -- A gate that nobody tried was not found closed.
    local idle = now - s.due
    s.shut, s.refused, s.since = s.shut + idle, s.refused + idle, s.since + idle
    s.probing, s.probed, granted, first, probe = 1, now, 1, now, 1
  end
elseif want > 0 and s.gate ~= FREE then
  gap = SEC / s.rate
  if s.gate == OPEN and now - s.tat >= math.max(span(), BURST * gap) then
    -- A rest: what passed before it is of another window.
    s.since, s.leased, s.waited, s.grown = now, 0, 0, math.max(s.grown, now)
  end
  s.tat = math.max(s.tat, now - (BURST + s.rate / 100) * gap + gap)
  if s.tat > now + 2 * ahead then
    again = s.tat - 2 * ahead
  else
    granted = math.min(want, math.max(1, math.ceil(s.rate * ahead / SEC / processes)))
    if s.gate == DOUBTFUL and s.probing == 0 then
      s.tat = math.max(s.tat, now)
      s.probing, s.probed, probe = 1, s.tat, 1
    end
    first = s.tat
    s.tat, s.leased = s.tat + granted * gap, s.leased + granted
  end
end

local fields = {}
for name, value in pairs(s) do
  fields[#fields + 1] = name
  fields[#fields + 1] = string.format('%.17g', value)
end
redis.call('HSET', KEYS[1], unpack(fields))
local ttl = math.ceil(math.max(2 * s.window, 600 * SEC) / MS)
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('PEXPIRE', KEYS[2], ttl)

local function text(value) return string.format('%.17g', value) end
return {
  text(now), text(s.gate), text(s.rate), text(s.window), text(processes),
  text(granted), text(first), text(gap), text(probe), text(again), text(ahead),
  text(s.measuring),
}
