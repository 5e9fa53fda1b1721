import { startNats, startPostgres } from "@waybill/brokers";

// Starts servers, says which they are, and waits to be killed.
const servers = await Promise.all([startNats(), startPostgres()]);
process.send!(servers.map(({ pid, folder, url }) => ({ pid, folder, url })));
servers[0].pause();
setInterval(() => {}, 60_000);
