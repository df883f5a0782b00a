/** Whether the computer runs on its battery, where the browser says so (Chromium does). */

interface IBattery {
  readonly charging: boolean;
}

interface IBatteryNavigator {
  getBattery?(): Promise<IBattery>;
}

export class Power {
  constructor(navigator: object) {
    // The object that comes is live: its properties follow the computer.
    const asked = (navigator as IBatteryNavigator).getBattery?.();
    asked?.then(
      battery => {
        this._battery = battery;
      },
      () => undefined // Forbidden by the page's policy: as if there were none.
    );
  }

  get isOnBattery(): boolean {
    return this._battery?.charging === false;
  }

  private _battery: IBattery | null = null;
}
