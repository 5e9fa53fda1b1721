export {
  embeddedEngine,
  endOf,
  partitions,
  type Durable,
  type EmbeddedOptions,
  type Engine,
  type Stored,
} from "./engine.ts";
export { ConfigError } from "./config/error.ts";
export { effective, type Config } from "./config/effective.ts";
export { loadConfig, type ConfigSources } from "./config/load.ts";
export { defineConfig, type WaybillConfig } from "./config/schema.ts";
export { shown, shownText } from "./config/show.ts";
export { build, openShop, shopServices, type Shop, type ShopOptions } from "./shop.ts";
export { realWorld, wallClock, type Log } from "./world.ts";
export { startServer, type RunningServer, type ServerOptions } from "./server.ts";
export { runServer, welcome } from "./run.ts";
export { openLog, type LogTarget } from "./log.ts";
export { mailFolder } from "./mail-folder.ts";
export { openJourneys, type Journeys, type JourneyEntry } from "./journey.ts";
export { isSettled, orderView } from "./http/order-view.ts";
export { laneViews, laneTroubles, type LaneTopic, type LaneView } from "./lanes.ts";
export { sampleProducts, type SampleProduct } from "./seed.ts";
export { openWatch, type Watch } from "./watch.ts";
export { inProcessGateway, type InProcessGateway } from "./gateway/in-process.ts";
export { httpGateway, type HttpGatewayOptions } from "./gateway/http-gateway.ts";
export { startGateway, type GatewayChild, type GatewayChildOptions } from "./gateway/child.ts";
export { localKeyFile } from "./http/access/keys.ts";
export {
  newKey,
  readKeyFile,
  writeKeyFile,
  type KeyEntry,
  type KeyOptions,
  type Role,
} from "./http/access/key-file.ts";
