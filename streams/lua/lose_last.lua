-- Takes a stream back to what it was before an entry id: what came from then on is gone, as after a fail-over to a replica
-- that lagged so far.
-- KEYS: 1 the stream, 2 a name of no key, in the same slot
-- ARGV: 1 the first entry id that is lost
-- Returns how many entries went.
local page = 1000

local function info(what, ...)
  local reply, named = redis.call('XINFO', what, ...), {}
  if what == 'STREAM' then
    reply = {reply}
  end
  for i, flat in ipairs(reply) do
    named[i] = {}
    for j = 1, #flat, 2 do
      named[i][flat[j]] = flat[j + 1]
    end
  end
  return named
end

-- each calls f with every entry of the range, in order.
local function each(key, from, to, f)
  while true do
    local entries = redis.call('XRANGE', key, from, to, 'COUNT', page)
    for _, entry in ipairs(entries) do
      f(entry[1], entry[2])
    end
    if #entries < page then
      return
    end
    from = '(' .. entries[#entries][1]
  end
end

local function count(key, from, to)
  local n = 0
  each(key, from, to, function() n = n + 1 end)
  return n
end

local function after(a, b) -- whether entry id a comes after b
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am > bm or am == bm and as > bs
end

if redis.call('TYPE', KEYS[1]).ok ~= 'stream' then
  return 0
end
local was = info('STREAM', KEYS[1])[1]
-- A server that cannot do this says so here, where nothing has changed yet.
redis.call('XSETID', KEYS[1], was['last-generated-id'])

local lost = count(KEYS[1], ARGV[1], '+')
if lost == 0 and not after(was['last-generated-id'], ARGV[1]) then
  return 0
end

-- XDEL would leave its mark: no server sets a stream's last id below the highest that was deleted from it. So it is
-- written anew.
redis.call('RENAME', KEYS[1], KEYS[2])
local done, wrong = pcall(function()
  local last = '0-0'
  each(KEYS[2], '-', '(' .. ARGV[1], function(id, fields)
    redis.call('XADD', KEYS[1], id, unpack(fields))
    last = id
  end)
  if last == '0-0' then
    redis.call('XGROUP', 'CREATE', KEYS[1], 'lose', '0', 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', KEYS[1], 'lose')
  end
  if was['entries-added'] then -- from Redis 7 on
    redis.call('XSETID', KEYS[1], last, 'ENTRIESADDED', was['entries-added'] - lost)
  end

  for _, g in ipairs(info('GROUPS', KEYS[2])) do
    local delivered, read = g['last-delivered-id'], g['entries-read']
    if after(delivered, last) then
      if read then
        read = math.max(0, read - count(KEYS[2], ARGV[1], delivered))
      end
      delivered = last
    end
    if read then
      redis.call('XGROUP', 'CREATE', KEYS[1], g['name'], delivered, 'ENTRIESREAD', read)
    else
      redis.call('XGROUP', 'CREATE', KEYS[1], g['name'], delivered)
    end
    for _, c in ipairs(info('CONSUMERS', KEYS[2], g['name'])) do
      redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], g['name'], c['name'])
    end
    local from = '-'
    while true do
      local pending = redis.call('XPENDING', KEYS[2], g['name'], from, '(' .. ARGV[1], page)
      for _, p in ipairs(pending) do
        redis.call('XCLAIM', KEYS[1], g['name'], p[2], 0, p[1], 'IDLE', p[3], 'RETRYCOUNT', p[4], 'FORCE', 'JUSTID')
        from = '(' .. p[1]
      end
      if #pending < page then
        break
      end
    end
  end
end)
if not done then -- as it was
  redis.call('DEL', KEYS[1])
  redis.call('RENAME', KEYS[2], KEYS[1])
  return type(wrong) == 'table' and wrong or redis.error_reply('ERR ' .. tostring(wrong))
end
redis.call('DEL', KEYS[2])
return lost
