#include "net/records.h"

#include <map>
#include <mutex>

#include "codec/json.h"
#include "net/detail/record_json.h"
#include "state/database.h"

namespace net {
namespace {

class MemoryRecords final : public Records {
 public:
  base::Result<std::vector<Network>> networks() override { return values(networks_); }
  base::Result<std::vector<Endpoint>> endpoints() override { return values(endpoints_); }
  base::Result<> put(const Network& network) override { return insert(networks_, network); }
  base::Result<> put(const Endpoint& endpoint) override { return insert(endpoints_, endpoint); }
  base::Result<> erase(const base::NetworkId& id) override { return remove(networks_, id); }
  base::Result<> erase(const EndpointId& id) override { return remove(endpoints_, id); }

 private:
  template <class Map>
  base::Result<std::vector<typename Map::mapped_type>> values(const Map& map) {
    const std::scoped_lock lock{mutex_};
    std::vector<typename Map::mapped_type> all;
    for (const auto& [id, value] : map) all.push_back(value);
    return all;
  }
  template <class Map, class T>
  base::Result<> insert(Map& map, const T& value) {
    const std::scoped_lock lock{mutex_};
    map.insert_or_assign(value.id, value);
    return {};
  }
  template <class Map, class Key>
  base::Result<> remove(Map& map, const Key& id) {
    const std::scoped_lock lock{mutex_};
    map.erase(id);
    return {};
  }

  std::mutex mutex_;
  std::map<base::NetworkId, Network> networks_;  ///< guarded by mutex_
  std::map<EndpointId, Endpoint> endpoints_;     ///< guarded by mutex_
};

class DatabaseRecords final : public Records {
 public:
  explicit DatabaseRecords(state::Database& database) : database_{database} {}

  base::Result<std::vector<Network>> networks() override {
    return load<detail::NetworkRow, Network>("SELECT id, json FROM networks ORDER BY created", "network");
  }
  base::Result<std::vector<Endpoint>> endpoints() override {
    return load<detail::EndpointRow, Endpoint>("SELECT id, json FROM endpoints ORDER BY id", "endpoint");
  }

  base::Result<> put(const Network& network) override {
    const std::string json = codec::to_json(detail::NetworkRow::of(network)).dump();
    // Users expect a network that they created to survive a power cut.
    return database_.transaction(
        state::Durability::PowerLoss, [&](state::Transaction& transaction) -> base::Result<> {
          TRY(transaction.execute(
              "INSERT INTO networks (id, name, driver, created, json) VALUES (?, ?, 'bridge', ?, ?) "
              "ON CONFLICT (id) DO UPDATE SET name = excluded.name, json = excluded.json",
              {network.id, network.name, network.created, json}));
          return {};
        });
  }
  base::Result<> put(const Endpoint& endpoint) override {
    const std::string json = codec::to_json(detail::EndpointRow::of(endpoint)).dump();
    const std::string address = endpoint.address.str();
    const std::string mac = endpoint.mac.str();
    return database_.transaction(
        state::Durability::ProcessDeath, [&](state::Transaction& transaction) -> base::Result<> {
          TRY(
              transaction.execute("INSERT INTO endpoints (id, network_id, container_id, address, mac, json) "
                                  "VALUES (?, ?, ?, ?, ?, ?) "
                                  "ON CONFLICT (id) DO UPDATE SET address = excluded.address, mac = "
                                  "excluded.mac, json = excluded.json",
                                  {endpoint.id, endpoint.network, endpoint.container, address, mac, json}));
          return {};
        });
  }
  base::Result<> erase(const base::NetworkId& id) override {
    return remove("DELETE FROM networks WHERE id = ?", id, state::Durability::PowerLoss);
  }
  base::Result<> erase(const EndpointId& id) override {
    return remove("DELETE FROM endpoints WHERE id = ?", id, state::Durability::ProcessDeath);
  }

 private:
  template <class RowType, class T>
  base::Result<std::vector<T>> load(std::string_view sql, std::string_view noun) {
    std::vector<T> all;
    TRY(database_.read([&](state::Reader& reader) -> base::Result<> {
      return reader.select(sql, {}, [&](const state::Row& row) -> base::Result<> {
        const auto parsed = TRY(codec::from_json_text<RowType>(row.text(1))
                                    .context("record of " + std::string{noun} + ' ' + row.text(0)));
        all.push_back(TRY(parsed.value()));
        return {};
      });
    }));
    return all;
  }
  base::Result<> remove(std::string_view sql, const state::Value& id, state::Durability durability) {
    return database_.transaction(durability, [&](state::Transaction& transaction) -> base::Result<> {
      TRY(transaction.execute(sql, {id}));
      return {};
    });
  }

  state::Database& database_;
};

}  // namespace

std::unique_ptr<Records> records_in(state::Database& database) {
  return std::make_unique<DatabaseRecords>(database);
}
std::unique_ptr<Records> records_in_memory() { return std::make_unique<MemoryRecords>(); }

}  // namespace net
