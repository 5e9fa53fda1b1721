#!/usr/bin/env node
import { run } from "./node24.js";

run(process.argv.slice(2));
