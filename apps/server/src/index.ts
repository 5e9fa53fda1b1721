export { embeddedEngine, type EmbeddedOptions } from "./embedded-engine.ts";
export { endOf, partitions, type Durable, type Engine, type Health, type Stored } from "./engine.ts";
export { openEngine, type OpenEngineOptions } from "./open-engine.ts";
export { ConfigError } from "./config/error.ts";
export { effective, type Config } from "./config/effective.ts";
export { loadConfig, type ConfigSources } from "./config/load.ts";
export { defineConfig, type WaybillConfig } from "./config/schema.ts";
export { shown, shownText } from "./config/show.ts";
export { diagnose, exitOf, type Diagnosis, type TopicDiagnosis } from "./doctor/diagnosis.ts";
export { look, type LookOptions } from "./doctor/look.ts";
export { diagnosisText, keptWords } from "./doctor/text.ts";
export { worthOfKafka } from "./doctor/kafka-worth.ts";
export { worthOfNats } from "./doctor/nats-worth.ts";
export { worthOfFile, worthOfPostgres } from "./doctor/store-worth.ts";
export { mishaps, type Mishap, type Worth } from "./doctor/worth.ts";
export { build, openShop, type Shop, type ShopOptions } from "./shop.ts";
export { ownAdapters, shopContract, shopServices, type OwnService, type ShopContract } from "./services.ts";
export { realWorld, wallClock, type Log } from "@waybill/node";
export { startServer, startWork, type RunningServer, type RunningWork, type ServerOptions } from "./server.ts";
export { runServer, welcome } from "./run.ts";
export { openLog, type LogTarget } from "./log.ts";
export { mailFolder } from "./mail/folder.ts";
export { smtpMailer } from "./mail/smtp.ts";
export type { MailConfig } from "./config/mail.ts";
export { openJourneys, type Journeys, type JourneyEntry } from "./journey.ts";
export { isSettled, orderView } from "./http/order-view.ts";
export { laneViews, laneTroubles, type LaneTopic, type LaneView } from "./lanes.ts";
export { sampleProducts, seed, type SampleProduct } from "./seed.ts";
export { pagesTo } from "./pages.ts";
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
export { describe, type Described } from "./describe.ts";
export { removedServices, type RemovedService } from "./removed.ts";
export { lettersLost, type LetterView } from "./letters.ts";
export { tail, topicViews, type MessageView, type TopicView } from "./topics.ts";
export {
  inOrder,
  inputView,
  keyView,
  parkedGroups,
  type InputView,
  type KeyView,
  type ParkedGroup,
} from "./parked/groups.ts";
export type { Redriven } from "./parked/redrive.ts";
export { asyncApi } from "./asyncapi.ts";
